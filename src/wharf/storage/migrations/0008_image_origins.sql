-- Where images came from, as the engine itself saw it: what it pulled or pushed, and what it built.

CREATE TABLE image_origins (
    image_id TEXT NOT NULL,
    kind     TEXT NOT NULL,      -- 'repository' at a registry, 'build'
    value    TEXT NOT NULL,      -- docker.io/library/busybox; the build's name in the history
    at       TEXT NOT NULL,      -- RFC 3339: the last time
    PRIMARY KEY (image_id, kind, value)
) STRICT;
