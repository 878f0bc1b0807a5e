-- Pairing: a person links their phone to a connection, by a code that is shown to them.

-- What was asked for, and what is shown of it now. The row leaves when the pairing is over.
CREATE TABLE pairings (
  store_id uuid NOT NULL,
  connection_id uuid NOT NULL UNIQUE,
  -- Another one each time it is asked for: what an earlier one shows or ends does not touch it.
  id uuid NOT NULL,
  asked_by text NOT NULL CHECK (asked_by IN ('admin', 'link')),
  -- The number on whose phone a code is typed; null when one is scanned.
  phone text,
  asked_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  -- It lets in whoever sees it.
  shown_sealed text,
  shown_until timestamptz,
  PRIMARY KEY (store_id, connection_id),
  FOREIGN KEY (store_id, connection_id) REFERENCES connections (store_id, id) ON DELETE CASCADE
);

-- The link that opens a connection's pairing without signing in: one at a time, and only a digest of its token is kept.
CREATE TABLE pairing_links (
  store_id uuid NOT NULL,
  connection_id uuid NOT NULL,
  token_digest bytea NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  -- Since a phone was linked.
  used_at timestamptz,
  PRIMARY KEY (store_id, connection_id),
  FOREIGN KEY (store_id, connection_id) REFERENCES connections (store_id, id) ON DELETE CASCADE
);
