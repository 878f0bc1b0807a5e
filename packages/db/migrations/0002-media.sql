-- Media: the files that came with messages, found by store and id; their bytes lie in the blob store under blob_key.

CREATE TABLE media (
  store_id uuid NOT NULL REFERENCES stores (id),
  id uuid NOT NULL,
  connection_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
  blob_key text,
  mime text,
  size bigint CHECK (size >= 0),
  name text,
  sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (store_id, id),
  FOREIGN KEY (store_id, connection_id) REFERENCES connections (store_id, id),
  -- What is ready can be served: it has bytes, and their length and digest are known.
  CHECK (status <> 'ready' OR (blob_key IS NOT NULL AND size IS NOT NULL AND sha256 IS NOT NULL))
);
