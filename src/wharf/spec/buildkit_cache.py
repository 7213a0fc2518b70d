"""BuildKit's cache documents, ``application/vnd.buildkit.cacheconfig.v0`` (BuildKit, cache/remotecache/v1)."""

from __future__ import annotations

from typing import Final

import msgspec

CACHE_CONFIG: Final = "application/vnd.buildkit.cacheconfig.v0"
INLINE: Final = "moby.buildkit.cache.v0"
"""The member of an image's configuration that has the records of an inline cache, as JSON in base64."""
UNCOMPRESSED: Final = "containerd.io/uncompressed"
"""The annotation of a layer's descriptor that has its diff id."""
CREATED_AT: Final = "buildkit/createdat"


class LayerAnnotations(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What is said of a layer's blob."""

    media_type: str = ""
    diff_id: str = msgspec.field(default="", name="diffID")
    size: int = 0
    created_at: str = ""


class CacheLayer(msgspec.Struct, omit_defaults=True):
    """A layer, on the one whose place is ``parent``: -1 for none, and 0 where it says nothing."""

    blob: str = ""
    parent: int = 0
    annotations: LayerAnnotations | None = None


class CacheResult(msgspec.Struct):
    """A result: the layer at that place, with those below it."""

    layer: int
    created_at: str = msgspec.field(default="0001-01-01T00:00:00Z", name="createdAt")


class ChainedResult(msgspec.Struct):
    """A result whose layers are named one by one, the lowest first."""

    layers: list[int]
    created_at: str = msgspec.field(default="0001-01-01T00:00:00Z", name="createdAt")


class CacheInput(msgspec.Struct, omit_defaults=True):
    """An input of a record: the record whose place is ``link``."""

    selector: str = ""
    link: int = 0


class CacheRecord(msgspec.Struct, omit_defaults=True):
    """A key, with the results it has; of one with inputs only together with theirs."""

    results: list[CacheResult] | None = msgspec.field(default=None, name="layers")
    chains: list[ChainedResult] | None = None
    digest: str = ""
    inputs: list[list[CacheInput]] | None = None


class CacheConfig(msgspec.Struct, omit_defaults=True):
    """The whole document."""

    layers: list[CacheLayer] | None = None
    records: list[CacheRecord] | None = None
