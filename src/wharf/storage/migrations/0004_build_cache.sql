-- Results of builds' steps, by what they were made of.

CREATE TABLE build_cache (
    key         TEXT PRIMARY KEY,       -- digest of an operation and of the content it worked on
    chain_id    TEXT NOT NULL,          -- the layers it made; '' for none
    created_ns  INTEGER NOT NULL,
    used_ns     INTEGER NOT NULL,
    uses        INTEGER NOT NULL,
    description TEXT NOT NULL           -- the step as people read it
) STRICT;
CREATE INDEX build_cache_by_chain ON build_cache (chain_id);
