"""docker logs: the json-file log read back, filtered, framed, followed."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypedDict

from wharf.engine.containers.record import Container
from wharf.engine.containers.state import State
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.kernel import inotify
from wharf.lib.moments import to_ns
from wharf.lib.stdcopy import STDERR, STDOUT, frame

_CHUNK_BYTES: Final = 64 * 1024
_GROWTH: Final = inotify.Watch.MODIFY | inotify.Watch.CREATE | inotify.Watch.MOVED_TO


class Line(TypedDict):
    """One line of a json-file log."""

    log: str
    stream: str
    time: str


@dataclass(frozen=True, slots=True)
class Query:
    """What to read of a log; times are nanoseconds since 1970."""

    stdout: bool = True
    stderr: bool = True
    follow: bool = False
    since_ns: int | None = None
    until_ns: int | None = None
    timestamps: bool = False
    tail: int | None = None

    def accepts(self, line: Line) -> bool:
        """Return whether ``line`` belongs to a wanted stream and time. Pure."""
        if not (self.stdout if line["stream"] == "stdout" else self.stderr):
            return False
        if self.since_ns is None and self.until_ns is None:
            return True
        time_ns = to_ns(line["time"])
        return (self.since_ns is None or time_ns >= self.since_ns) and (
            self.until_ns is None or time_ns <= self.until_ns
        )


async def read(context: Context, container: Container, query: Query) -> AsyncIterator[bytes]:
    """Return the log as chunks: stdcopy frames, or raw bytes of a terminal.

    Raises:
        InvalidArgument: neither stream is asked for.
        NotImplementedHere: the container's log driver keeps nothing that could be read.
    """
    if not (query.stdout or query.stderr):
        raise InvalidArgument("Bad parameters: you must choose at least one stream")
    if (container.spec.host_config.get("LogConfig") or {}).get("Type") == "none":
        raise NotImplementedHere("configured logging driver does not support reading")
    return _chunks(context, container, query)


async def _chunks(context: Context, container: Container, query: Query) -> AsyncIterator[bytes]:
    path = context.data.log(container.id)
    grown = inotify.inotify_init()
    tail = LogTail(path)
    try:
        inotify.add_watch(grown, str(path.parent), _GROWTH)
        for line in await asyncio.to_thread(_past, tail, query):
            yield render(line, query, tty=container.tty)
        while query.follow:
            ended = not container.state.alive and container.state.status != "restarting"
            fresh = await asyncio.to_thread(tail.lines)
            for line in fresh:
                if query.accepts(line):
                    yield render(line, query, tty=container.tty)
            if fresh:
                continue
            if ended or _past_end(query, context):
                return
            await _change(context, container, grown, query)
    finally:
        tail.close()
        os.close(grown)


def _past(tail: LogTail, query: Query) -> list[Line]:
    accepted = (line for line in tail.lines() if query.accepts(line))
    return list(accepted if query.tail is None else deque(accepted, maxlen=query.tail))


def _past_end(query: Query, context: Context) -> bool:
    return query.until_ns is not None and to_ns(context.clock.now()) > query.until_ns


async def _change(context: Context, container: Container, grown: int, query: Query) -> None:
    """Wait until the log grows, the container ends, or ``until`` has come."""
    loop = asyncio.get_running_loop()
    ended = container.watch(lambda state: not state.alive)
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(grown, _settle, readable)
    left_s = None if query.until_ns is None else max(0.0, (query.until_ns - to_ns(context.clock.now())) / 1e9)
    try:
        waiting: set[asyncio.Future[State] | asyncio.Future[None]] = {ended, readable}
        await asyncio.wait(waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(grown)
        ended.cancel()
        readable.cancel()
    inotify.read(grown)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def render(line: Line, query: Query, *, tty: bool) -> bytes:
    """Return one line as Docker sends it. Pure."""
    text = f"{line['time']} {line['log']}" if query.timestamps else line["log"]
    data = text.encode("utf-8", "surrogateescape")
    return data if tty else frame(STDERR if line["stream"] == "stderr" else STDOUT, data)


class LogTail:
    """Reads a log forward, from its oldest rotated file into the one being written, across rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: deque[BinaryIO] = deque(_rotated(path))
        self._rest = b""

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def lines(self) -> list[Line]:
        """Return the whole lines that have come since the last call."""
        found: list[Line] = []
        while self._files or self._reopen():
            found += self._drain(self._files[0])
            if len(self._files) == 1 and not self._rotated_away():
                break
            self._files.popleft().close()
        return found

    def _drain(self, file: BinaryIO) -> Iterator[Line]:
        while chunk := file.read(_CHUNK_BYTES):
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            for text in whole:
                if text:
                    yield json.loads(text)

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


def _rotated(path: Path) -> Iterator[BinaryIO]:
    """Open <log>.N … <log>.1 and <log>, oldest first; one that vanishes meanwhile is left out."""
    numbered = [p for p in path.parent.glob(f"{path.name}.*") if p.suffix[1:].isdigit()]
    for candidate in [*sorted(numbered, key=lambda p: -int(p.suffix[1:])), path]:
        try:
            yield candidate.open("rb")
        except FileNotFoundError:
            continue
