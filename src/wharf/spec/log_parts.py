"""A container's log as it lies on the disk: what shims write, and engines read and deliver.

::

    <log>.4.gz  <log>.3.gz  <log>.2  <log>.1  <log>         oldest ──▶ newest, which is being written
                               ▲
                        log-cursor: [inode, offset], what lies before it is delivered

A part is known by the inode in which it was written. A compressed one names that in its header (RFC 1952, FNAME), so
that a reader finds again what has been compressed since, and whoever asks for the oldest undelivered part does too.
"""

from __future__ import annotations

import os

from wharf.lib import light_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMPRESSED = ".gz"
_LONGEST_HEADER_BYTES = 64
_NAMED = 0x08  # FLG.FNAME
_FIXED_HEADER_BYTES = 10
_SIZE_BYTES = 4


class Part:
    """One file of a log.

    Attributes:
        path: of the file.
        number: 0 for the one being written, then ever older.
        inode: in which it was written.
        size: in bytes, before it was compressed.
    """

    __slots__ = ("inode", "number", "path", "size")

    def __init__(self, path: str, number: int, inode: int, size: int) -> None:
        self.path = path
        self.number = number
        self.inode = inode
        self.size = size


def find(path: str) -> list[Part]:
    """Return the parts of a log, oldest first; one that is renamed meanwhile may be missing."""
    folder, _, name = path.rpartition("/")
    numbers: dict[int, str] = {}
    for entry in sorted(os.listdir(folder or "."), reverse=True):  # so that a plain file covers its compressed form
        if (number := _number(entry, name)) is not None:
            numbers[number] = f"{folder}/{entry}" if folder else entry
    found = []
    for number in sorted(numbers, reverse=True):
        try:
            found.append(_look_at(numbers[number], number))
        except FileNotFoundError:
            continue
    return found


def _number(entry: str, name: str) -> int | None:
    if entry == name:
        return 0
    text = entry.removeprefix(f"{name}.").removesuffix(COMPRESSED)
    return int(text) if entry.startswith(f"{name}.") and text.isdecimal() and text.isascii() else None


def _look_at(path: str, number: int) -> Part:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        status = os.fstat(fd)
        if not path.endswith(COMPRESSED):
            return Part(path, number, status.st_ino, status.st_size)
        inode = _inode_in(os.pread(fd, _LONGEST_HEADER_BYTES, 0))
        size = os.pread(fd, _SIZE_BYTES, max(0, status.st_size - _SIZE_BYTES))
        return Part(path, number, inode or status.st_ino, int.from_bytes(size, "little"))
    finally:
        os.close(fd)


def _inode_in(header: bytes) -> int:
    """Return the inode that a compressed part's header names; 0 for none."""
    if len(header) < _FIXED_HEADER_BYTES or header[3] != _NAMED:
        return 0
    name, end, _ = header[_FIXED_HEADER_BYTES:].partition(b"\0")
    return int(name) if end and name.isdigit() else 0


def position_in(text: bytes) -> tuple[int, int] | None:
    """Return what a cursor's content says, inode and offset; None for what says nothing. Pure."""
    try:
        found = light_json.loads(text.decode())
    except ValueError:
        return None
    if isinstance(found, list) and len(found) == 2 and all(isinstance(part, int) for part in found):
        return found[0], found[1]
    return None


def read_position(path: str) -> tuple[int, int] | None:
    """Return how far a log has been delivered, as the cursor at ``path`` has it; None where it has nothing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        return position_in(os.read(fd, _LONGEST_HEADER_BYTES))
    finally:
        os.close(fd)


def delivered(parts: Sequence[Part], position: tuple[int, int] | None) -> int:
    """Return how many of the oldest ``parts`` have been delivered to their ends. Pure.

    A position in a part that is not there says nothing: readers begin with the oldest then.
    """
    if position is None:
        return 0
    for index, part in enumerate(parts):
        if part.inode == position[0]:
            return index + (position[1] >= part.size)
    return 0
