"""Reads a container's log file forward: from its oldest rotated part into the one being written, across rotations."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, NotRequired, Self, TypedDict, cast

from wharf.kernel import inotify

_CHUNK_BYTES: Final = 64 * 1024
_AT_ONCE: Final = 2000
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


class LogTail:
    """The lines of one log, in the order in which they were written."""

    def __init__(self, path: Path, start: Position | None = None) -> None:
        """Begin at the oldest line, or after ``start`` when that part is still there."""
        self._path = path
        self._files: deque[BinaryIO] = deque(_parts(path))
        self._rest = b""
        self._read = 0
        if start is not None:
            self._skip_to(start)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    @property
    def position(self) -> Position | None:
        """Where the next line will begin; None before there is a file."""
        if not self._files:
            return None
        return Position(os.fstat(self._files[0].fileno()).st_ino, self._read - len(self._rest))

    def lines(self) -> list[Line]:
        """Return some whole lines that have come since the last call; none when there are no more by now."""
        found: list[Line] = []
        while len(found) < _AT_ONCE and (self._files or self._reopen()):
            chunk = self._files[0].read(_CHUNK_BYTES)
            if chunk:
                found += self._whole(chunk)
            elif len(self._files) == 1 and not self._rotated_away():
                break
            else:
                self._files.popleft().close()
                self._read, self._rest = 0, b""
        return found

    def _whole(self, chunk: bytes) -> Iterator[Line]:
        self._read += len(chunk)
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for text in whole:
            if (line := _parse(text)) is not None:
                yield line

    def _skip_to(self, start: Position) -> None:
        inodes = [os.fstat(file.fileno()).st_ino for file in self._files]
        if start.inode not in inodes:
            return
        for _ in range(inodes.index(start.inode)):
            self._files.popleft().close()
        self._files[0].seek(start.offset)
        self._read = start.offset

    def _rotated_away(self) -> bool:
        """Return whether the file being written is no longer the one that is open here."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        here = os.fstat(self._files[0].fileno())
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _reopen(self) -> bool:
        try:
            self._files.append(self._path.open("rb"))
        except FileNotFoundError:
            return False
        return True


def _parse(text: bytes) -> Line | None:
    """Return a line; None for what a full disk has torn."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return cast("Line", document) if isinstance(document, dict) and "log" in document else None


def _parts(path: Path) -> Iterator[BinaryIO]:
    """Open <log>.N[.gz] … <log>.1[.gz] and <log>, oldest first; one that vanishes meanwhile is left out."""
    numbered = {
        int(number): p
        for p in path.parent.glob(f"{path.name}.*")
        if (number := p.name.removeprefix(f"{path.name}.").removesuffix(".gz")).isdigit()
    }
    for candidate in [*(numbered[n] for n in sorted(numbered, reverse=True)), path]:
        try:
            if candidate.suffix == ".gz":
                yield cast("BinaryIO", gzip.open(candidate, "rb"))  # noqa: SIM115  # the caller's to close
            else:
                yield candidate.open("rb")
        except FileNotFoundError:
            continue


class Growth:
    """Tells when something is written below a folder; used with ``with``."""

    def __init__(self, folder: Path) -> None:
        self._fd = inotify.inotify_init()
        inotify.add_watch(self._fd, str(folder), _GROWTH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    async def wait(self, *others: asyncio.Future[object], timeout_s: float | None = None) -> None:
        """Wait until there is more, one of ``others`` is done, or the time is up."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[object] = loop.create_future()
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
