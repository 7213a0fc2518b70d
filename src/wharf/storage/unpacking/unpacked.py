"""What became of a layer's stream once it is unpacked; and doing that on the caller's own thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wharf.lib.digest import Digest
from wharf.storage.compression import Decompressed
from wharf.storage.diff import unpack
from wharf.storage.tar_reader import Source


@dataclass(frozen=True, slots=True)
class UnpackedLayer:
    """A layer that has been read to its end."""

    diff_id: Digest
    size_bytes: int  # of its files
    compression: str  # "", "gzip", "zstd", "bzip2" or "xz"


class Growing(Protocol):
    """A layer's file, which may still be written while it is read; whoever writes it hashes it."""

    def open(self) -> int:
        """Return a descriptor of the caller's own to read it from the beginning."""

    def grown(self, beyond: int, /) -> int:
        """Return how many bytes of it there are, once these are more than ``beyond`` or all; blocking."""

    @property
    def digest(self) -> Digest:
        """The digest of the file, once it is whole."""


def unpack_layer(stored: Source, folder_fd: int) -> UnpackedLayer:
    """Unpack a layer, compressed or not, into the empty folder ``folder_fd``; blocking.

    Raises:
        InvalidArgument: the archive is corrupt, or an entry of it is refused.
        OSError: the disk is full, or this process may not make a device.
    """
    plain = Decompressed(stored)
    size_bytes = _unpack(plain, folder_fd)
    return UnpackedLayer(plain.digest, size_bytes, plain.compression)


def unpack_hashed(stored: Source, folder_fd: int) -> tuple[Digest | None, int, str]:
    """Unpack a layer whose stored bytes somebody else hashes; raises as :func:`unpack_layer`.

    Returns the diff id, None for a layer that is not compressed (it is the digest of what is stored); the bytes of
    its files; and its compression.
    """
    plain = Decompressed(stored)
    if not plain.compression:
        plain.leave_unhashed()
    size_bytes = _unpack(plain, folder_fd)
    return plain.digest if plain.compression else None, size_bytes, plain.compression


def _unpack(plain: Decompressed, folder_fd: int) -> int:
    unpacked = unpack(plain, folder_fd)
    plain.drain()
    return unpacked.size_bytes
