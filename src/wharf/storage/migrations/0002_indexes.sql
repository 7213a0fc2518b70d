-- An image for several platforms: a reference names its index (target), and the manifest that is used of it.
ALTER TABLE image_references ADD COLUMN target_digest TEXT NOT NULL DEFAULT '';  -- '': the manifest itself

CREATE TABLE unfinished_pulls (  -- intentions: what these manifests and indexes refer to is kept for a later attempt
    digest     TEXT PRIMARY KEY,
    started_at TEXT NOT NULL
) STRICT;
