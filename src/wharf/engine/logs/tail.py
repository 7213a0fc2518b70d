"""Reads a container's log file forward: from its oldest rotated part into the one being written, across rotations."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, NotRequired, Self, TypedDict, cast

from wharf.kernel import inotify
from wharf.kernel.libc import suppress_errno
from wharf.spec import log_parts

_CHUNK_BYTES: Final = 64 * 1024
_AT_ONCE: Final = 2000
_ATTEMPTS: Final = 20
_UNTOLD_S: Final = 0.5
_GROWTH: Final = inotify.Watch.MODIFY | inotify.Watch.CREATE | inotify.Watch.MOVED_TO


class Line(TypedDict):
    """One line of a json-file log."""

    log: str
    stream: str
    time: str
    attrs: NotRequired[dict[str, str]]


class Position(NamedTuple):
    """How far a log has been read: in the file of this inode, to this byte."""

    inode: int
    offset: int


class _Open(NamedTuple):
    """A part that is being read."""

    file: BinaryIO
    inode: int
    compressed_size: int | None  # what it was before it was compressed, where it is

    @property
    def size(self) -> int:
        """Bytes in it by now."""
        return os.fstat(self.file.fileno()).st_size if self.compressed_size is None else self.compressed_size


class LogTail:
    """The lines of one log, in the order in which they were written."""

    def __init__(self, path: Path, start: Position | None = None) -> None:
        """Begin at the oldest line, or after ``start`` when that part is still there."""
        self._path = path
        self._parts: deque[_Open] = deque(_open_parts(path))
        self._rest = b""
        self._read = 0
        if start is not None:
            self._skip_to(start)

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.file.close()

    @property
    def position(self) -> Position | None:
        """Where the next line will begin; None before there is a file."""
        if not self._parts:
            return None
        return Position(self._parts[0].inode, self._read - len(self._rest))

    def lines(self) -> list[Line]:
        """Return some whole lines that have come since the last call; none when there are no more by now."""
        found: list[Line] = []
        while len(found) < _AT_ONCE and (self._parts or self._find_newer()):
            chunk = self._parts[0].file.read(_CHUNK_BYTES)
            if chunk:
                found += self._whole(chunk)
            elif len(self._parts) > 1:  # the last one to be opened may still grow, until a newer one is found
                self._pass_part()
            elif not self._find_newer():
                break
        return found

    def skip_to_last(self, most_bytes: int) -> int:
        """Pass over the oldest lines, so that at most ``most_bytes`` of the log are ahead; return how many it was."""
        self._find_newer()
        ahead = sum(part.size for part in self._parts) - (self._read - len(self._rest))
        surplus = ahead - most_bytes
        if surplus <= 0:
            return 0
        left = surplus + self._read - len(self._rest)
        while len(self._parts) > 1 and left >= self._parts[0].size:
            left -= self._parts[0].size
            self._pass_part()
        first = self._parts[0].file
        first.seek(left - 1 if left else 0)  # so that the end of a line is seen
        cut = first.readline() if left else b""
        self._rest, self._read = b"", max(0, left - 1) + len(cut)
        return surplus

    def _whole(self, chunk: bytes) -> Iterator[Line]:
        self._read += len(chunk)
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for text in whole:
            if (line := _parse(text)) is not None:
                yield line

    def _skip_to(self, start: Position) -> None:
        inodes = [part.inode for part in self._parts]
        if start.inode not in inodes:
            return
        for _ in range(inodes.index(start.inode)):
            self._pass_part()
        self._parts[0].file.seek(start.offset)
        self._read = start.offset

    def _pass_part(self) -> None:
        self._parts.popleft().file.close()
        self._read, self._rest = 0, b""

    def _find_newer(self) -> bool:
        """Open the parts that are newer than the last one that is open; return whether there are any."""
        last = self._parts[-1].inode if self._parts else None
        try:
            if self._path.stat().st_ino == last:
                return False
        except FileNotFoundError:
            return False
        opened = _open_parts(self._path)
        inodes = [part.inode for part in opened]
        known = inodes.index(last) + 1 if last in inodes else 0
        for part in opened[:known]:
            part.file.close()
        self._parts += opened[known:]
        return len(opened) > known


def _parse(text: bytes) -> Line | None:
    """Return a line; None for what a full disk has torn."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return cast("Line", document) if isinstance(document, dict) and "log" in document else None


def _open_parts(path: Path) -> list[_Open]:
    """Open all parts of a log, oldest first: none is missing in between, though they be renamed meanwhile."""
    for _ in range(_ATTEMPTS):
        opened = _open_found(log_parts.find(str(path)))
        if [part.inode for part in opened] == [part.inode for part in log_parts.find(str(path))]:
            break
        for part in opened:
            part.file.close()
    else:
        return _open_found(log_parts.find(str(path)))  # it is rotated faster than we can look
    return opened


def _open_found(parts: list[log_parts.Part]) -> list[_Open]:
    opened = []
    for part in parts:
        try:
            if part.path.endswith(log_parts.COMPRESSED):
                file = cast("BinaryIO", gzip.open(part.path, "rb"))  # noqa: SIM115  # the caller's to close
                opened.append(_Open(file, part.inode, part.size))
            else:
                plain = open(part.path, "rb")  # noqa: SIM115  # likewise
                opened.append(_Open(plain, os.fstat(plain.fileno()).st_ino, None))
        except FileNotFoundError:
            continue
    return opened


class Growth:
    """Tells when something is written below a folder; used with ``with``.

    Where the machine has no more of inotify's instances or watches to give (inotify(7): a user has 128, and some
    thousands), it says so every half a second.
    """

    def __init__(self, folder: Path) -> None:
        self._fd = -1
        with suppress_errno(errno.EMFILE, errno.ENOSPC):
            self._fd = inotify.inotify_init()
            try:
                inotify.add_watch(self._fd, str(folder), _GROWTH)
            except OSError:
                os.close(self._fd)
                self._fd = -1
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    async def wait(self, *others: asyncio.Future[object], timeout_s: float | None = None) -> None:
        """Wait until there is more, one of ``others`` is done, or the time is up."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[object] = loop.create_future()
        if self._fd < 0:
            timer = loop.call_later(_UNTOLD_S, _settle, readable)
            try:
                await asyncio.wait({readable, *others}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
            return
        loop.add_reader(self._fd, _settle, readable)
        try:
            await asyncio.wait({readable, *others}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(self._fd)
            readable.cancel()
        inotify.read(self._fd)


def _settle(future: asyncio.Future[object]) -> None:
    if not future.done():
        future.set_result(None)
