-- Less to write for a message: no index covers what a claim or an outcome changes, so that rows are rewritten in place (HOT), and no fact is indexed twice.
-- requires: apps know >= 6

-- A lane is (connection, address). Its head is found by one look, whatever waits behind it; so are the lanes of a connection, one after the other.
DROP INDEX send_queue_due;
DROP INDEX send_queue_claimed;
DROP INDEX send_queue_lane;
CREATE INDEX send_queue_lane ON send_queue (connection_id, scheduled, address, seq);

-- What a person holds for a decision, until its time is over.
DROP INDEX messages_held;
CREATE TABLE held_messages (
  store_id uuid NOT NULL,
  message_id uuid NOT NULL,
  deadline_at timestamptz NOT NULL,
  PRIMARY KEY (store_id, message_id)
);
CREATE INDEX held_messages_by_deadline ON held_messages (deadline_at);
INSERT INTO held_messages (store_id, message_id, deadline_at)
  SELECT store_id, id, deadline_at FROM messages WHERE direction = 'out' AND status = 'uncertain' AND NOT final;

-- The parts of a message are counted, not kept beside it.
ALTER TABLE messages DROP COLUMN parts_planned;
-- That a message is being sent is told by its row in the queue.
UPDATE messages SET status = 'queued' WHERE status = 'sending';

-- A message is debited in the statement that writes it: only a refund could come twice.
DROP INDEX ledger_once_per_message;
CREATE UNIQUE INDEX ledger_one_refund ON ledger (store_id, message_id) WHERE kind = 'refund';

ALTER TABLE events_unnumbered DROP CONSTRAINT events_unnumbered_pkey;
DROP INDEX events_unnumbered_by_shard;
ALTER TABLE events_unnumbered ADD PRIMARY KEY (shard, position);

DROP INDEX parts_by_provider_id;

-- Tables whose rows come and go all day: swept by what was deleted, not by how large they are.
ALTER TABLE send_queue SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE events_unnumbered SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE inbound_items SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE delivery_queue SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- What a partition has that its parent can't say: room to rewrite rows in place, and a unique index that leads with what is looked up.
CREATE FUNCTION shape_partition(parent text, child text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF parent IN ('messages', 'attempts') THEN
    EXECUTE format('ALTER TABLE %I SET (fillfactor = 70)', child);
  END IF;
  IF parent = 'parts' THEN
    -- A provider may number its messages by thread: then the address makes the id whole.
    EXECUTE format('CREATE UNIQUE INDEX ON %I (connection_id, provider_message_id, address) WHERE provider_message_id IS NOT NULL', child);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION ensure_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  parent text;
  first timestamp;
  child text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('thikaa.partitions'));
  FOREACH parent IN ARRAY ARRAY['messages', 'parts', 'attempts', 'events', 'deliveries'] LOOP
    FOR ahead IN -1..2 LOOP
      first := date_trunc('month', moment AT TIME ZONE 'UTC') + make_interval(months => ahead);
      child := parent || to_char(first, '_YYYY_MM');
      IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent,
          uuid_at(first AT TIME ZONE 'UTC'), uuid_at((first + interval '1 month') AT TIME ZONE 'UTC'));
        PERFORM shape_partition(parent, child);
      END IF;
    END LOOP;
  END LOOP;
END
$$;

DO $$
DECLARE
  existing record;
  former regclass;
BEGIN
  FOR existing IN
    SELECT i.inhparent::regclass::text AS parent, i.inhrelid AS id, i.inhrelid::regclass::text AS child FROM pg_inherits i
    WHERE i.inhparent IN ('messages'::regclass, 'parts'::regclass, 'attempts'::regclass)
  LOOP
    IF existing.parent = 'parts' THEN
      SELECT x.indexrelid INTO STRICT former FROM pg_index x WHERE x.indrelid = existing.id AND x.indisunique AND NOT x.indisprimary;
      EXECUTE format('DROP INDEX %s', former);
    END IF;
    PERFORM shape_partition(existing.parent, existing.child);
  END LOOP;
END
$$;
