"""Archives put into trees: contexts, and what ADD unpacks. Taken for hostile, as a layer's is."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from wharf.storage.compression import Decompressed
from wharf.storage.diff import Learn, Manner, extract
from wharf.storage.tar_entry import BLOCK, Corrupt
from wharf.storage.tar_header import verify
from wharf.storage.tar_reader import Source

_ZEROS: Final = bytes(BLOCK)


def is_archive(file: BinaryIO) -> bool:
    """Return whether an open file is a tar archive, compressed or not; leaves it at its beginning."""
    file.seek(0)
    try:
        block = _first_block(Decompressed(file))
        if len(block) == BLOCK and block != _ZEROS:
            verify(block)
            return True
    except Corrupt:
        return False
    finally:
        file.seek(0)
    return False


def _first_block(source: Source) -> bytes:
    block = b""
    while len(block) < BLOCK and (data := source.read(BLOCK - len(block))):
        block += data
    return block


def unpack_into(
    source: Source,
    folder: int,
    *,
    owner: tuple[int, int] | None = None,
    into_layer: bool = False,
    learn: Learn | None = None,
) -> int:
    """Unpack an archive into a folder over what is there; blocking. Returns the bytes of its files.

    Args:
        source: the archive, compressed in any way, or not.
        folder: descriptor of the folder.
        owner: whose the files are, instead of the archive's.
        into_layer: the folder becomes a layer's: names that would be marks there are refused.
        learn: told of each file's content as it comes by.

    Raises:
        InvalidArgument: the archive is corrupt or leaves the folder; the message says which entry.
    """
    top = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        manner = Manner(layer=False, owner=owner, no_marks=into_layer, learn=learn)
        plain = Decompressed(source)
        plain.leave_unhashed()
        return extract(plain, top, manner).size_bytes
    finally:
        os.close(top)
