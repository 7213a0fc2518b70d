"""How an exporter is to compress layers (BuildKit, util/compression). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument
from wharf.images.packing import Compression

COMPRESSION: Final = frozenset({"compression", "compression-level", "force-compression"})
_KINDS: Final = {"": "gzip", "gzip": "gzip", "estargz": "estargz", "zstd": "zstd", "uncompressed": ""}
_LEVELS: Final = {"gzip": (0, 9), "estargz": (0, 9), "zstd": (0, 22), "": (0, 0)}


def compression_of(attributes: Mapping[str, str], *, oci: bool = True) -> Compression:
    """Return what an exporter's options say.

    Raises:
        InvalidArgument: the kind is unknown, or the level is none of its levels.
    """
    name = attributes.get("compression", "")
    if name not in _KINDS:
        raise InvalidArgument(f"unsupported layer compression type {name}: it is gzip, estargz, zstd or uncompressed")
    kind = _KINDS[name]
    level = attributes.get("compression-level", "")
    lowest, highest = _LEVELS[kind]
    if level and not (level.isdigit() and lowest <= int(level) <= highest):
        raise InvalidArgument(f"invalid compression-level {level}: {name or kind} has {lowest} to {highest}")
    force = truth_of(attributes, "force-compression")
    return Compression(kind, int(level) if level else None, force=force, oci=oci)
