-- The health of endpoints: told to people, and to the next owner of their shard; and which attempt a claimed delivery is in.

ALTER TABLE endpoints
  ADD COLUMN health text NOT NULL DEFAULT 'healthy' CHECK (health IN ('healthy', 'slow', 'failing')),
  -- In plain words, without secrets; NULL while it is healthy.
  ADD COLUMN health_reason text,
  ADD COLUMN health_since timestamptz NOT NULL DEFAULT now(),
  -- While it is failing: not called before this.
  ADD COLUMN next_try_at timestamptz;
CREATE INDEX endpoints_unwell ON endpoints (store_id) WHERE health <> 'healthy';

-- The attempt's row is written once, with its end; until then its id stands here, so that whoever ends it writes the same row.
ALTER TABLE delivery_queue ADD COLUMN attempt_id uuid;
