-- Receipts: when the provider says that a part arrived and was read; and items that wait for what they tell of.

ALTER TABLE parts
  ADD COLUMN delivered_at timestamptz,
  ADD COLUMN read_at timestamptz;

-- It tells of a message whose send has not ended yet: looked at again soon, and nothing of its conversation waits for it.
ALTER TABLE inbound_items ADD COLUMN parked boolean NOT NULL DEFAULT false;
