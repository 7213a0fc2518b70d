"""Takes the lines of one log to a receiver, in order, each at least once, and keeps beside it how far it has come."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from wharf.engine.logs.formats import Message
from wharf.engine.logs.sinks import Sink
from wharf.engine.logs.tail import Growth, Line, LogTail, Position
from wharf.errors import WharfError
from wharf.lib.moments import to_ns
from wharf.spec import log_parts

log = logging.getLogger("wharf.engine")

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0
_SAVE_AGAIN_S: Final = 5.0


class Retry(NamedTuple):
    """What follows a failure: how long to wait, and how often to try; 0 for ever, with ever longer waits."""

    wait_s: float = 0.0
    most: int = 0

    def next_wait_s(self, attempt: int) -> float:
        """Return the seconds to wait after the attempt of that number, from 1."""
        return self.wait_s or min(_FIRST_WAIT_S * 2 ** min(attempt - 1, 10), _LONGEST_WAIT_S)


@dataclass(frozen=True, slots=True)
class Terms:
    """How lines are delivered.

    Attributes:
        retry: what follows a failure.
        most_waiting_bytes: of the log, as its file has them: of more the oldest lines are dropped. None: none is.
        one_part: the log is one file, which is dropped as a whole once it is delivered.
    """

    retry: Retry
    most_waiting_bytes: int | None
    one_part: bool


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes the log, as far as its delivery must know.

    Attributes:
        name: for messages about it.
        gone: whether there is nothing to deliver any more.
        ended: whether nothing more is written.
        until_ended: returns a future that is done then.
        moved_on: called when a part of the log has been delivered: the writer may wait for that.
    """

    name: Callable[[], str]
    gone: Callable[[], bool]
    ended: Callable[[], bool]
    until_ended: Callable[[], asyncio.Future[object]]
    moved_on: Callable[[], None]


class Delivery:
    """One log on its way.

    Attributes:
        sent: how many lines have been delivered, or given up, since it was made.
        task: what runs it; the maker's to set.
    """

    def __init__(self, path: Path, sink: Sink, terms: Terms, writer: Writer) -> None:
        self.sent = 0
        self.task: asyncio.Task[None] | None = None
        self._path = path
        self._sink = sink
        self._terms = terms
        self._writer = writer
        self._told = False  # that it cannot be kept how far it has come

    @property
    def under_way(self) -> bool:
        """Whether it runs."""
        return self.task is not None and not self.task.done()

    async def run(self) -> None:
        """Deliver what is there and what comes, until nothing more does."""
        start = await asyncio.to_thread(log_parts.read_position, str(cursor_of(self._path)))
        tail = await asyncio.to_thread(LogTail, self._path, Position(*start) if start else None)
        try:
            with Growth(self._path.parent) as growth:
                self._writer.moved_on()  # an earlier engine may have saved that, and come no further
                await self._follow(tail, growth)
        finally:
            tail.close()
            await self._sink.end()

    async def _follow(self, tail: LogTail, growth: Growth) -> None:
        saved = tail.position
        while not self._writer.gone():
            ended = self._writer.ended()
            await self._drop_surplus(tail)
            lines = await asyncio.to_thread(tail.lines)
            for line in lines:
                await self._send(line)
            if tail.position != saved:
                saved = await self._save(tail.position, saved)
            if lines:
                continue
            if ended:
                await self._persist(self._sink.flush)
                return
            watching = self._writer.until_ended()
            try:
                await growth.wait(watching, timeout_s=None if tail.position == saved else _SAVE_AGAIN_S)
            finally:
                watching.cancel()

    async def _drop_surplus(self, tail: LogTail) -> None:
        if self._terms.most_waiting_bytes is None:
            return
        if dropped := await asyncio.to_thread(tail.skip_to_last, self._terms.most_waiting_bytes):
            log.warning("%d bytes of the log of container %s were not taken in time", dropped, self._writer.name())

    async def _save(self, position: Position | None, before: Position | None) -> Position | None:
        """Keep how far it has come; return how far that is known: ``before`` where it cannot be, a full disk say."""
        try:
            await asyncio.to_thread(_write_position, cursor_of(self._path), position)
        except OSError as error:
            if not self._told:
                log.warning("how far container %s's log is delivered cannot be kept: %s", self._writer.name(), error)
            self._told = True
            return before
        self._told = False
        if self._terms.one_part or before is None or position is None or position.inode != before.inode:
            self._writer.moved_on()
        return position

    async def _send(self, line: Line) -> None:
        text = line["log"]
        whole = text.removesuffix("\n")
        message = Message(whole, line["stream"], to_ns(line["time"]), partial=whole == text)
        await self._persist(lambda: self._sink.send(message))
        self.sent += 1

    async def _persist(self, work: Callable[[], Awaitable[None]]) -> None:
        retry, attempt = self._terms.retry, 0
        while True:
            attempt += 1
            try:
                await work()
            except (OSError, WharfError) as error:  # TimeoutError is one; of ours are plugins' and certificates'
                if attempt == 1:
                    log.warning("the log of container %s cannot be delivered: %s", self._writer.name(), error)
                if 0 < retry.most < attempt or getattr(error, "errno", None) == errno.EMSGSIZE:
                    return
                await asyncio.sleep(retry.next_wait_s(attempt))
            else:
                return


def cursor_of(path: Path) -> Path:
    """Return where it is kept how far the log at ``path`` has been delivered (spec/log_parts.py)."""
    return path.with_name("log-cursor")


def _write_position(cursor: Path, position: Position | None) -> None:
    if position is not None and cursor.parent.exists():
        temporary = cursor.with_suffix(".new")
        temporary.write_text(json.dumps(position))
        os.replace(temporary, cursor)
