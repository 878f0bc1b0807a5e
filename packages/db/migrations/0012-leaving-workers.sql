-- A worker that is ending takes no share any more: the others have room for what it lets go before it is gone.
ALTER TABLE workers ADD COLUMN leaving boolean NOT NULL DEFAULT false;
