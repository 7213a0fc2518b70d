"""What became of a layer's stream once it is unpacked; and doing that on the caller's own thread."""

from __future__ import annotations

from dataclasses import dataclass

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


def unpack_layer(stored: Source, folder_fd: int) -> UnpackedLayer:
    """Unpack a layer, compressed or not, into the empty folder ``folder_fd``; blocking.

    Raises:
        InvalidArgument: the archive is corrupt, or an entry of it is refused.
        OSError: the disk is full, or this process may not make a device.
    """
    plain = Decompressed(stored)
    unpacked = unpack(plain, folder_fd)
    plain.drain()
    return UnpackedLayer(plain.digest, unpacked.size_bytes, plain.compression)
