"""A log plugin as a receiver of messages: found when it is needed, and begun anew when it was gone."""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wharf.engine.logs.entries import Entry, Part, pack
from wharf.engine.logs.formats import Message
from wharf.engine.logs.plugin import Info, LogPlugin
from wharf.engine.logs.plugin_stream import PluginStream, begin
from wharf.plugins.threads import asked

_DRAIN_S: Final = 3.0


class PluginSink:
    """One container's lines to one plugin."""

    def __init__(self, find: Callable[[], LogPlugin], info: Info, note: Path) -> None:
        """Begin nothing yet.

        Args:
            find: returns the plugin, as it is now; WharfError when it is not there. Blocks.
            info: what it is told of the container.
            note: see :func:`wharf.engine.logs.plugin_stream.begin`.
        """
        self._find, self._info, self._note = find, info, note
        self._stream: PluginStream | None = None
        self._again: list[bytes] = []  # what an earlier stream's plugin has not read
        self._parts: dict[str, Part] = {}  # of the line that is being sent in parts, by its source

    async def open(self) -> None:
        """Have the plugin read, unless it does; raises as :func:`wharf.engine.logs.plugin_stream.begin`."""
        if self._stream is not None:
            return
        beginning = asyncio.ensure_future(asked(self._begin))
        try:
            self._stream = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            beginning.add_done_callback(_let_go)
            raise

    def _begin(self) -> PluginStream:
        return begin(self._find(), self._info, self._note)

    async def send(self, message: Message) -> None:
        """Deliver one message; wait as long as the plugin does not read."""
        part = self._part(message)
        line = message.line.encode("utf-8", "surrogateescape")
        await self._write([pack(Entry(line, message.stream, message.time_ns, part))])
        self._parts.pop(message.stream, None)
        if part is not None and not part.last:
            self._parts[message.stream] = part

    def _part(self, message: Message) -> Part | None:
        """Return which part of its line a message is; None for a whole line."""
        before = self._parts.get(message.stream)
        if before is None:
            return Part(secrets.token_hex(32), 1, last=False) if message.partial else None
        return Part(before.id, before.ordinal + 1, last=not message.partial)

    async def flush(self) -> None:
        """Wait until the plugin has read everything; OSError when it has gone before: call it again."""
        while self._again or (self._stream is not None and self._stream.unread()):
            await self._write([])
            if self._stream is not None:
                await self._stream.drained()

    async def _write(self, fresh: list[bytes]) -> None:
        """Write what an earlier stream's plugin has not read, then ``fresh``, to the plugin as it is now."""
        await self.open()
        assert self._stream is not None
        try:
            if not self._stream.is_read():
                raise BrokenPipeError(errno.EPIPE, "the log plugin has gone")
            while self._again:
                await self._stream.write(self._again[0])
                self._again.pop(0)
            for data in fresh:
                await self._stream.write(data)
        except OSError:
            stream, self._stream = self._stream, None
            unread = [data for data in stream.unread() if not any(data is one for one in (*fresh, *self._again))]
            self._again = [*unread, *self._again]
            stream.drop()
            raise

    async def end(self) -> None:
        """Tell the plugin of the end, once it has read what it was sent or a few seconds have passed; idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                async with asyncio.timeout(_DRAIN_S):
                    await stream.drained()
            except TimeoutError:
                pass  # it is told of the end all the same
            finally:
                await asyncio.shield(asked(stream.stop))


def _let_go(beginning: asyncio.Future[PluginStream]) -> None:
    """End a stream for which nobody waited any more."""
    if not beginning.cancelled() and beginning.exception() is None:
        asyncio.ensure_future(asked(beginning.result().stop))  # noqa: RUF006  # its end is of interest to nobody
