-- The first line: stores, keys, connections, messages and their queue, inbound items, events, deliveries, workers.
-- Ids are UUIDv7. Money is in millionths of a credit. Times are the database's own clock.

CREATE TABLE stores (
  id uuid PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  environment text NOT NULL DEFAULT 'live' CHECK (environment IN ('live', 'sandbox')),
  plan text NOT NULL CHECK (plan IN ('free', 'starter', 'professional', 'enterprise')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
  default_calling_code text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Apart from stores, so that a debit rewrites eight bytes and not a store's whole row.
CREATE TABLE balances (
  store_id uuid PRIMARY KEY REFERENCES stores (id),
  balance_micro bigint NOT NULL DEFAULT 0 CHECK (balance_micro >= 0)
) WITH (fillfactor = 50);

-- The balance equals the sum of amounts, always. One row a kind and message.
CREATE TABLE ledger (
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('credit', 'debit', 'refund')),
  message_id uuid,
  amount_micro bigint NOT NULL,
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id)
);
CREATE UNIQUE INDEX ledger_once_per_message ON ledger (store_id, message_id, kind) WHERE message_id IS NOT NULL;

CREATE TABLE instances (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  name text NOT NULL,
  channels text[] NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'revoked')),
  key_hash bytea NOT NULL UNIQUE,
  key_prefix text NOT NULL,
  key_last4 text NOT NULL,
  rate_limit integer NOT NULL DEFAULT 60 CHECK (rate_limit > 0),
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  UNIQUE (id)
);

-- An exact fixed window a key. Unlogged: after a crash a window may begin anew, nothing else.
CREATE UNLOGGED TABLE rate_windows (
  instance_id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL,
  used integer NOT NULL
) WITH (fillfactor = 50);

-- A URL that wants events. An instance's webhook is its endpoint.
CREATE TABLE endpoints (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  instance_id uuid,
  url text NOT NULL,
  events text[] NOT NULL DEFAULT '{message.received}',
  secret_sealed text NOT NULL,
  previous_secret_sealed text,
  previous_secret_until timestamptz,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  disabled_reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  UNIQUE (id),
  FOREIGN KEY (store_id, instance_id) REFERENCES instances (store_id, id)
);
CREATE UNIQUE INDEX endpoints_one_per_instance ON endpoints (store_id, instance_id) WHERE instance_id IS NOT NULL;

-- What each channel's app says of itself when it starts: capabilities and credential fields.
CREATE TABLE channel_descriptions (
  channel text PRIMARY KEY,
  description jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE connections (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  channel text NOT NULL,
  name text NOT NULL,
  is_default boolean NOT NULL DEFAULT false,
  environment text NOT NULL CHECK (environment IN ('live', 'sandbox')),
  desired text NOT NULL DEFAULT 'on' CHECK (desired IN ('on', 'off', 'removed')),
  state text NOT NULL DEFAULT 'connecting' CHECK (state IN ('pairing', 'connecting', 'connected', 'recovering', 'limited', 'attention', 'off')),
  reason jsonb,
  since timestamptz NOT NULL DEFAULT now(),
  address text,
  display jsonb NOT NULL DEFAULT '{}',
  credentials_sealed text NOT NULL,
  webhook_secret_sealed text NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  price_micro bigint,
  revision bigint NOT NULL DEFAULT 1,
  last_inbound_at timestamptz,
  last_sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  UNIQUE (id)
);
-- One account of a provider belongs to one connection; the sandbox's stand-in is another world than the provider's own.
CREATE UNIQUE INDEX connections_one_per_address ON connections (channel, environment, address) WHERE address IS NOT NULL AND desired <> 'removed';
CREATE UNIQUE INDEX connections_one_default ON connections (store_id, channel) WHERE is_default AND desired <> 'removed';
CREATE INDEX connections_by_channel ON connections (channel, desired);

-- What a connector keeps for a connection (sessions, cursors), sealed.
CREATE TABLE connector_state (
  connection_id uuid NOT NULL REFERENCES connections (id),
  key text NOT NULL,
  value_sealed text NOT NULL,
  PRIMARY KEY (connection_id, key)
);

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  role text NOT NULL,
  host text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE assignments (
  kind text NOT NULL,
  key text NOT NULL,
  worker uuid,
  epoch bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key)
);
CREATE INDEX assignments_by_worker ON assignments (worker);

CREATE TABLE contacts (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  channel text NOT NULL,
  connection_id uuid NOT NULL REFERENCES connections (id),
  address text NOT NULL,
  name text,
  phone text,
  username text,
  locale text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  UNIQUE (store_id, connection_id, address)
);

CREATE TABLE conversations (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  connection_id uuid NOT NULL REFERENCES connections (id),
  -- The provider's name of the thread; opaque, made and read in the channel's app.
  thread text NOT NULL,
  -- The person in the form that `send` takes as `to`.
  address text NOT NULL,
  contact_id uuid NOT NULL,
  last_inbound_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  UNIQUE (store_id, connection_id, thread),
  FOREIGN KEY (store_id, contact_id) REFERENCES contacts (store_id, id)
);
CREATE INDEX conversations_by_address ON conversations (store_id, connection_id, address);

CREATE TABLE messages (
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  direction text NOT NULL CHECK (direction IN ('in', 'out')),
  origin text NOT NULL CHECK (origin IN ('api', 'device', 'customer')),
  instance_id uuid,
  connection_id uuid NOT NULL,
  conversation_id uuid,
  channel text NOT NULL,
  address text NOT NULL,
  type text NOT NULL,
  content jsonb NOT NULL,
  client_reference text,
  status text NOT NULL,
  final boolean NOT NULL DEFAULT false,
  reason jsonb,
  price_micro bigint NOT NULL DEFAULT 0,
  refunded boolean NOT NULL DEFAULT false,
  possible_duplicate boolean NOT NULL DEFAULT false,
  provider_message_id text,
  parts_planned integer,
  send_at timestamptz,
  deadline_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id)
) PARTITION BY RANGE (id);
-- What a person holds for a decision, until its time is over.
CREATE INDEX messages_held ON messages (deadline_at) WHERE status = 'uncertain' AND NOT final;

-- The plan of a message, stored before its first call; receipts find a part by the provider's id.
CREATE TABLE parts (
  store_id uuid NOT NULL,
  message_id uuid NOT NULL,
  n integer NOT NULL,
  connection_id uuid NOT NULL,
  address text NOT NULL,
  payload jsonb NOT NULL,
  status text NOT NULL DEFAULT 'queued',
  provider_message_id text,
  sent_at timestamptz,
  PRIMARY KEY (store_id, message_id, n)
) PARTITION BY RANGE (message_id);
CREATE INDEX parts_by_provider_id ON parts (connection_id, provider_message_id) WHERE provider_message_id IS NOT NULL;

-- One try: of a part (subject = message) or of a delivery (subject = delivery).
CREATE TABLE attempts (
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  subject_id uuid NOT NULL,
  part integer NOT NULL DEFAULT 0,
  number integer NOT NULL,
  worker uuid,
  epoch bigint,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  outcome text,
  detail jsonb,
  PRIMARY KEY (store_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX attempts_by_subject ON attempts (store_id, subject_id, id);

-- What is to be sent; a row leaves when its message is finished. `seq` orders a lane (connection, address).
CREATE TABLE send_queue (
  seq bigint GENERATED ALWAYS AS IDENTITY,
  store_id uuid NOT NULL,
  message_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  address text NOT NULL,
  due_at timestamptz NOT NULL DEFAULT now(),
  deadline_at timestamptz NOT NULL,
  -- Waits for its time and holds up nobody; takes a new seq when due.
  scheduled boolean NOT NULL DEFAULT false,
  -- Set while a worker has claimed the row.
  worker uuid,
  epoch bigint,
  -- Attempts begun, over all parts; the last one is the one that may decide.
  attempts integer NOT NULL DEFAULT 0,
  -- Failures that count against backoff; throttling does not.
  failures integer NOT NULL DEFAULT 0,
  -- Failures that were our own fault.
  poisons integer NOT NULL DEFAULT 0,
  first_failed_at timestamptz,
  -- Whether the provider may have taken the last attempt all the same.
  uncertain boolean NOT NULL DEFAULT false,
  PRIMARY KEY (message_id)
) WITH (fillfactor = 70);
CREATE INDEX send_queue_due ON send_queue (connection_id, due_at, seq) WHERE worker IS NULL;
CREATE INDEX send_queue_lane ON send_queue (connection_id, address, seq);
CREATE INDEX send_queue_claimed ON send_queue (connection_id, epoch) WHERE worker IS NOT NULL;
CREATE INDEX send_queue_scheduled ON send_queue (connection_id, due_at) WHERE scheduled;
CREATE INDEX send_queue_deadline ON send_queue (deadline_at);

CREATE TABLE idempotency_keys (
  store_id uuid NOT NULL,
  instance_id uuid NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  message_id uuid NOT NULL,
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, instance_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- What came in, raw and converted; a row leaves when the inbox has finished it.
CREATE TABLE inbound_items (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  key text NOT NULL,
  thread text NOT NULL,
  shard integer NOT NULL,
  raw bytea NOT NULL,
  converted jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbound_items_due ON inbound_items (shard, id);

-- The keys of what came in, for 7 days: a repeat is known by them, also after its item is finished.
CREATE TABLE inbound_keys (
  connection_id uuid NOT NULL,
  key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, key)
);
CREATE INDEX inbound_keys_by_age ON inbound_keys (created_at);

-- What came in and could not be routed, cut or read: kept whole, shown, counted.
CREATE TABLE inbound_unrouted (
  id uuid PRIMARY KEY,
  channel text NOT NULL,
  connection_id uuid,
  reason text NOT NULL,
  raw bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Events wait here for their number, written in the transaction of their cause.
CREATE TABLE events_unnumbered (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard integer NOT NULL,
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  channel text,
  connection_id uuid,
  instance_id uuid,
  -- json and not jsonb: it is told as it was written, its fields in the documented order.
  data json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX events_unnumbered_by_shard ON events_unnumbered (shard, position);

CREATE TABLE store_sequences (
  store_id uuid PRIMARY KEY REFERENCES stores (id),
  last bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE events (
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  sequence bigint NOT NULL,
  type text NOT NULL,
  channel text,
  connection_id uuid,
  instance_id uuid,
  data json NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (store_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_by_sequence ON events (store_id, sequence);

-- How far a reader (webhooks, bots, notifier) has come in a store's events.
CREATE TABLE event_cursors (
  reader text NOT NULL,
  store_id uuid NOT NULL REFERENCES stores (id),
  sequence bigint NOT NULL,
  PRIMARY KEY (reader, store_id)
) WITH (fillfactor = 50);

CREATE TABLE deliveries (
  store_id uuid NOT NULL,
  id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  event_id uuid NOT NULL,
  sequence bigint NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  last_status integer,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (store_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX deliveries_by_endpoint ON deliveries (store_id, endpoint_id, id);

CREATE TABLE delivery_queue (
  delivery_id uuid PRIMARY KEY,
  store_id uuid NOT NULL,
  endpoint_id uuid NOT NULL,
  event_id uuid NOT NULL,
  shard integer NOT NULL,
  due_at timestamptz NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0,
  worker uuid,
  epoch bigint,
  claimed_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX delivery_queue_due ON delivery_queue (shard, endpoint_id, due_at) WHERE worker IS NULL;
CREATE INDEX delivery_queue_claimed ON delivery_queue (shard) WHERE worker IS NOT NULL;

-- Monthly partitions by the time in a UUIDv7; called at each migration and daily by the inbox. Retention drops whole partitions.
CREATE FUNCTION uuid_at(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

CREATE FUNCTION ensure_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
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
        IF parent = 'parts' THEN
          EXECUTE format('CREATE UNIQUE INDEX ON %I (connection_id, address, provider_message_id) WHERE provider_message_id IS NOT NULL', child);
        END IF;
      END IF;
    END LOOP;
  END LOOP;
END
$$;

SELECT ensure_partitions(now());
