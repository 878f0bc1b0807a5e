-- Files that came with messages and are still to be fetched from their provider.

ALTER TABLE media
  ADD COLUMN kind text NOT NULL DEFAULT 'document',
  -- Its place among the files of its message, from 1.
  ADD COLUMN n integer NOT NULL DEFAULT 1,
  -- The inbound item it came with; the item is gone once the message is written.
  ADD COLUMN item_id bigint,
  -- Written by the inbox together with the message.
  ADD COLUMN message_id uuid,
  -- Why it failed: a code and a sentence.
  ADD COLUMN reason jsonb;
CREATE INDEX media_by_item ON media (item_id) WHERE message_id IS NULL;
CREATE INDEX media_by_message ON media (store_id, message_id) WHERE message_id IS NOT NULL;

-- A row leaves when its file is kept or given up.
CREATE TABLE media_fetches (
  media_id uuid PRIMARY KEY,
  store_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  item_id bigint NOT NULL,
  -- The conversation that is told, should the message have gone on without the file.
  thread text NOT NULL,
  -- How the provider names the file; opaque, made and read in the channel's app.
  reference text NOT NULL,
  due_at timestamptz NOT NULL DEFAULT now(),
  -- Under which the connection's owner fetches it now; due_at is then when that fetch is given up for lost.
  epoch bigint,
  failures integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (store_id, media_id) REFERENCES media (store_id, id)
) WITH (fillfactor = 70);
CREATE INDEX media_fetches_due ON media_fetches (connection_id, due_at);
CREATE INDEX media_fetches_of_item ON media_fetches (item_id);
CREATE INDEX media_fetches_by_age ON media_fetches (created_at);
