-- Each worker tells how many connections its process may open, so that all pools together can be held against max_connections.
ALTER TABLE workers ADD COLUMN pool integer CHECK (pool > 0);
