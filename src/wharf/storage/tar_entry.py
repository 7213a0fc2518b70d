"""One entry of a tar archive, with names and values as the bytes they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from wharf.errors import InvalidArgument

BLOCK: Final = 512


class Corrupt(InvalidArgument):
    """An archive is damaged or is not one."""


class Kind(Enum):
    """What an entry makes (POSIX pax, "typeflag"); the value is what it is written as."""

    FILE = b"0"
    HARDLINK = b"1"
    SYMLINK = b"2"
    CHARACTER = b"3"
    BLOCK = b"4"
    FOLDER = b"5"
    FIFO = b"6"


@dataclass(slots=True)
class Entry:
    """One file, folder, link or device; ``name`` is as the archive spells it, so not to be trusted."""

    name: bytes
    kind: Kind
    mode: int = 0o644  # the lower twelve bits
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0  # bytes of content, holes included
    target: bytes = b""  # of a link
    device: tuple[int, int] = (0, 0)  # major, minor
    xattrs: dict[str, bytes] = field(default_factory=dict)
    extents: list[tuple[int, int]] | None = None  # offset, length of each piece of data; None: no holes
