"""Layers that a storage driver keeps as they come, in a form of its own, instead of unpacking them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from wharf.storage.compression import Decompressed
from wharf.storage.content import Blob, Writer
from wharf.storage.snapshotter import Roots
from wharf.storage.tar_reader import Source
from wharf.storage.unpacking.unpacked import Growing, UnpackedLayer


def keep_archive(roots: Roots, layer: Path, stored: Source | Writer | Blob) -> UnpackedLayer:
    """Hand a layer to the driver, hashed on its way; blocking.

    Args:
        roots: the driver.
        layer: the folder that is the layer's own.
        stored: its bytes as they are stored, or the file that they are in or will be.

    Raises:
        InvalidArgument: the archive is corrupt, or an entry of it is refused.
        Unavailable: whoever writes the file has given up.
    """
    if isinstance(stored, Writer | Blob):
        with _Grown(stored) as source:
            return _keep(roots, layer, source)
    return _keep(roots, layer, stored)


def _keep(roots: Roots, layer: Path, stored: Source) -> UnpackedLayer:
    plain = Decompressed(stored)
    size_bytes = roots.take_archive(layer, plain)
    plain.drain()
    return UnpackedLayer(plain.digest, size_bytes, plain.compression)


class _Grown:
    """A file that may still be written, as a source that waits for what is to come."""

    def __init__(self, stored: Growing) -> None:
        self._stored = stored
        self._file = os.fdopen(stored.open(), "rb", 0)
        self._at = self._there = 0

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        if self._at == self._there:
            self._there = self._stored.grown(self._at)
        data = self._file.read(min(size, self._there - self._at))
        self._at += len(data)
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
