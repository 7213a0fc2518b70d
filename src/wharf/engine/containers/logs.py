"""docker logs: the json-file log read back, filtered, framed, followed; or what a log plugin has kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

from wharf.engine.containers import plugin_reads
from wharf.engine.containers.forward import driver_of, info_of
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.logs.options import readable
from wharf.engine.logs.plugin import LogPlugin
from wharf.engine.logs.tail import Growth, Line, LogTail
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.moments import to_ns
from wharf.lib.stdcopy import STDERR, STDOUT, frame
from wharf.processes.shim import Shim

_STARTING_S: Final = 0.5  # what a start by Docker's daemon takes on a machine with nothing else to do
_ANSWER_S: Final = 2.0


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
    details: bool = False

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
    if (plugin := await plugin_reads.reader(context, container)) is not None:
        return _kept_elsewhere(plugin, container, query)
    if not readable(*driver_of(container)):
        raise NotImplementedHere("configured logging driver does not support reading")
    return _chunks(context, container, query)


async def _kept_elsewhere(plugin: LogPlugin, container: Container, query: Query) -> AsyncIterator[bytes]:
    """Yield what a log plugin has kept; it is asked for the times and the number, and held to the times."""
    wanted = plugin_reads.wanted(
        query.since_ns, query.until_ns, query.tail, follow=query.follow and not _has_ended(container)
    )
    async for line in plugin_reads.lines(plugin, info_of(container), wanted):
        if query.until_ns is not None and to_ns(line["time"]) > query.until_ns:
            return
        if query.accepts(line):
            yield render(line, query, tty=container.tty)


async def _chunks(context: Context, container: Container, query: Query) -> AsyncIterator[bytes]:
    path = context.data.log(container.id)
    with Growth(path.parent) as growth:
        if not query.follow:
            await _taken_in(context, container, growth)
        tail = await asyncio.to_thread(LogTail, path)
        try:
            async for line in _past(tail, query):
                yield render(line, query, tty=container.tty)
            while query.follow:
                ended = _has_ended(container)
                fresh = await asyncio.to_thread(tail.lines)
                for line in fresh:
                    if query.accepts(line):
                        yield render(line, query, tty=container.tty)
                if fresh:
                    continue
                if ended or _past_end(query, context):
                    return
                if not _has_ended(container):  # else it did while we read, and may have written once more
                    await _change(context, container, growth, query)
        finally:
            tail.close()


async def _taken_in(context: Context, container: Container, growth: Growth) -> None:
    """Wait until all that a running program has written is in its log; if it has just begun, until it has written.

    A start by Docker's daemon takes so long that a program has usually written its first lines when it returns, and
    ``docker run -d`` and then ``docker logs`` shows them; ours returns before it has begun. So a program that has
    been started a moment ago and has written nothing is waited for: until it writes, ends, or the moment is over.
    """
    while (shim := container.shim) is not None and not await _drained(shim):
        left_s = starting_s(container.state.started_at, context.clock.now())
        if left_s <= 0 or container.state.status != "running":
            return
        await _growth(container, growth, left_s)


async def _drained(shim: Shim) -> bool:
    """Return whether there is nothing to wait for: the log has a record, or nobody answers (a shim that saves)."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await shim.drain()
    except TimeoutError:
        return True


def starting_s(started_at: str, now: str) -> float:
    """Return for how many seconds from ``now`` on a container counts as just started. Pure."""
    return min(_STARTING_S, _STARTING_S - (to_ns(now) - to_ns(started_at)) / 1e9)


def _has_ended(container: Container) -> bool:
    return not container.state.alive and container.state.status != "restarting"


async def _past(tail: LogTail, query: Query) -> AsyncIterator[Line]:
    """Yield what is there already; a part of it at a time, for a log may be larger than memory."""
    last: deque[Line] = deque(maxlen=query.tail)
    while lines := await asyncio.to_thread(tail.lines):
        accepted = [line for line in lines if query.accepts(line)]
        if query.tail is None:
            for line in accepted:
                yield line
        else:
            last.extend(accepted)
    for line in last:
        yield line


def _past_end(query: Query, context: Context) -> bool:
    return query.until_ns is not None and to_ns(context.clock.now()) > query.until_ns


async def _change(context: Context, container: Container, growth: Growth, query: Query) -> None:
    """Wait until the log grows, the container ends, or ``until`` has come."""
    left_s = None if query.until_ns is None else max(0.0, (query.until_ns - to_ns(context.clock.now())) / 1e9)
    await _growth(container, growth, left_s)


async def _growth(container: Container, growth: Growth, left_s: float | None) -> None:
    """Wait until the log grows, the container ends, or the time is up."""
    ended = container.watch(lambda state: not state.alive)
    try:
        await growth.wait(ended, timeout_s=left_s)  # type: ignore[arg-type]  # a future is read here, not written
    finally:
        ended.cancel()


def render(line: Line, query: Query, *, tty: bool) -> bytes:
    """Return one line as Docker sends it. Pure."""
    text = line["log"]
    if query.details:
        text = f"{_details(line)} {text}"
    if query.timestamps:
        text = f"{line['time']} {text}"
    data = text.encode("utf-8", "surrogateescape")
    return data if tty else frame(STDERR if line["stream"] == "stderr" else STDOUT, data)


def _details(line: Line) -> str:
    """Return the attributes that --log-opt labels and env gave a line, as Docker writes them."""
    found = line.get("attrs") or {}
    return ",".join(sorted(f"{quote_plus(name)}={quote_plus(value)}" for name, value in found.items()))
