-- Documents (JSON) are spelt as the specification they come from spells them.

CREATE TABLE images (            -- one row a manifest in the content store
    manifest_digest TEXT PRIMARY KEY,   -- digest of the manifest, sha256:<hex>
    image_id        TEXT NOT NULL,      -- digest of its config: what Docker calls the image's id
    size_bytes      INTEGER NOT NULL,   -- of the unpacked layers
    created_at      TEXT NOT NULL       -- RFC 3339, when it entered this store
) STRICT;
CREATE INDEX images_by_id ON images (image_id);

CREATE TABLE image_references (  -- names; an image without one is dangling
    reference       TEXT PRIMARY KEY,   -- canonical: docker.io/library/busybox:latest
    manifest_digest TEXT NOT NULL REFERENCES images (manifest_digest),
    updated_at      TEXT NOT NULL
) STRICT;

CREATE TABLE snapshots (         -- unpacked layers
    chain_id   TEXT PRIMARY KEY,
    parent     TEXT REFERENCES snapshots (chain_id),
    diff_id    TEXT NOT NULL,
    size_bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE containers (
    id          TEXT PRIMARY KEY,       -- 64 hex digits
    name        TEXT NOT NULL UNIQUE,   -- without the leading slash
    created_at  TEXT NOT NULL,
    image_id    TEXT NOT NULL,
    chain_id    TEXT NOT NULL,          -- the top layer its own layer lies on; '' for none
    record      TEXT NOT NULL,          -- what was asked for: Config, HostConfig, NetworkingConfig ...
    state       TEXT NOT NULL           -- what became of it: status, pid, exit code, times ...
) STRICT;

CREATE TABLE networks (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    driver     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    document   TEXT NOT NULL            -- subnets, options, labels, the bridge's name
) STRICT;

CREATE TABLE endpoints (         -- a container's place in a network: intention first, then the kernel
    id           TEXT PRIMARY KEY,
    container_id TEXT NOT NULL,
    network_id   TEXT NOT NULL REFERENCES networks (id),
    ipv4         TEXT,
    mac          TEXT,
    host_link    TEXT,                  -- the veth's end on the host
    ports        TEXT NOT NULL,         -- JSON list of published ports
    UNIQUE (network_id, ipv4),
    UNIQUE (container_id, network_id)
) STRICT;

CREATE TABLE volumes (
    name       TEXT PRIMARY KEY,
    driver     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    document   TEXT NOT NULL            -- labels, options
) STRICT;

CREATE TABLE events (
    time_ns  INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (time_ns);
