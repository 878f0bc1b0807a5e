-- Reactions and marks of reading are commands like edits and deletions; they may name what came in.

ALTER TABLE message_changes
  DROP CONSTRAINT message_changes_kind_check,
  ADD CONSTRAINT message_changes_kind_check CHECK (kind IN ('edit', 'delete', 'react', 'read'));

-- What came in of a conversation, newest first: a mark of reading names all of it that is not marked yet.
CREATE INDEX messages_received ON messages (store_id, conversation_id, id) WHERE direction = 'in';
