-- Plugins that the engine keeps: what they are, and what was set.

CREATE TABLE plugins (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,      -- a reference with its tag: "sample:latest"
    document TEXT NOT NULL
) STRICT;
