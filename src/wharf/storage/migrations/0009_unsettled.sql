-- What has its name and may not be on the disk yet: a sync takes rows away, another boot than theirs distrusts them.

CREATE TABLE unsettled (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,              -- "blob" or "layer"
    digest  TEXT NOT NULL,              -- of the blob, or the layer's chain id
    boot_id TEXT NOT NULL               -- of the kernel whose memory has it; '' once some of it could not be written
) STRICT;
