-- Layers that builds make have no blob before they are pushed or saved: what their files pack into is their diff id,
-- by which they can be checked. Of others that may not be so: they were packed elsewhere.
ALTER TABLE snapshots ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;
