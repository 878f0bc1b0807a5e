-- Bytes on their way into the media store: noted before the first is written, taken out with the row that names them. What a
-- process left there when it was killed in between is found here, and deleted.

CREATE TABLE unsettled_blobs (
  store_id uuid NOT NULL,
  blob_key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Since when it is being deleted: from then on no row may name it.
  condemned_at timestamptz,
  PRIMARY KEY (store_id, blob_key)
);
CREATE INDEX unsettled_blobs_by_age ON unsettled_blobs (created_at);
