-- Messages refer to each other: answers, edits, deletions, reactions and presses of buttons; and people block connections.

-- What came in, by the provider's id of it. Messages of ours keep those of their parts.
CREATE INDEX messages_by_provider_id ON messages (connection_id, provider_message_id) WHERE provider_message_id IS NOT NULL;

-- The edits and deletions of a message that were asked for; each is a message of its own, sent like any other.
CREATE TABLE message_changes (
  store_id uuid NOT NULL,
  -- The message that is changed.
  message_id uuid NOT NULL,
  command_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('edit', 'delete')),
  PRIMARY KEY (store_id, message_id, command_id)
);

ALTER TABLE contacts ADD COLUMN blocked boolean NOT NULL DEFAULT false;
