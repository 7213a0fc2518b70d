"""The FIFO by which a log plugin is sent one container's lines, from StartLogging to StopLogging.

It is written down before it is made, in a file of the container's, so that the next engine tells the plugin of the
end of a stream whose engine was killed. A plugin reads it or ends: a line that was written and not read by then is
known (:meth:`PluginStream.unread`), and can be sent again.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import secrets
import select
import struct
import termios
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from wharf.engine.logs.plugin import Info, LogPlugin
from wharf.errors import WharfError

_READER_S: Final = 10.0
_POLL_S: Final = 0.01


class PluginStream:
    """One FIFO that a plugin has been told of. For one task; :func:`begin` makes it."""

    def __init__(self, plugin: LogPlugin, name: str, fd: int, note: Path) -> None:
        self._plugin, self._name, self._fd, self._note = plugin, name, fd, note
        self._written = 0
        self._sent: deque[tuple[int, bytes]] = deque()  # where each ends, of those that may not be read yet

    async def write(self, data: bytes) -> None:
        """Write all of ``data``, and wait as long as the plugin does not read; OSError (EPIPE) when it has gone."""
        self._forget_read()
        self._sent.append((self._written + len(data), data))
        rest = memoryview(data)
        while rest:
            try:
                count = os.write(self._fd, rest)
            except BlockingIOError:
                await _writable(self._fd)
                continue
            rest = rest[count:]
            self._written += count

    def unread(self) -> list[bytes]:
        """Return what was given to :meth:`write` and the plugin has not read as a whole."""
        self._forget_read()
        return [data for _, data in self._sent]

    def _forget_read(self) -> None:
        read = self._written - _waiting(self._fd)
        while self._sent and self._sent[0][0] <= read:
            self._sent.popleft()

    async def drained(self) -> None:
        """Wait until the plugin has read everything, or has gone: nothing tells of that."""
        pause_s = _POLL_S
        while _waiting(self._fd) and self.is_read():
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 1)

    def is_read(self) -> bool:
        """Return whether the plugin has its end open."""
        return _is_read(self._fd)

    def stop(self) -> None:
        """Tell the plugin that nothing more comes, and remove the FIFO, whatever it answers; blocking."""
        try:
            with suppress(WharfError):
                self._plugin.stop(self._name)
        finally:
            self.drop()

    def drop(self) -> None:
        """Remove the FIFO of a plugin that has gone; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        (self._plugin.folder / self._name).unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def begin(plugin: LogPlugin, info: Info, note: Path) -> PluginStream:
    """Make a FIFO, and have ``plugin`` read it; blocking. Nothing is left when this raises.

    Args:
        plugin: whose it is.
        info: what it is told of the container.
        note: a file in which the FIFO is written down; what is there already is of a killed engine, and is ended.

    Raises:
        WharfError: the plugin does not answer, or refuses.
        OSError: it does not open the FIFO; EPIPE.
    """
    _end_left(plugin, note)
    name = secrets.token_hex(32)
    path = plugin.folder / name
    note.write_text(json.dumps(name))
    stream = PluginStream(plugin, name, -1, note)
    try:
        plugin.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        os.mkfifo(path, 0o600)
        both = os.open(
            path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        )  # the plugin's open waits for one
        try:
            plugin.start(name, info)
            # The same FIFO again, whatever the plugin has put under its name.
            fd = os.open(f"/proc/self/fd/{both}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            stream = PluginStream(plugin, name, fd, note)
        finally:
            os.close(both)
        _await_reader(plugin, stream._fd)  # noqa: SLF001  # made here
    except BaseException:
        stream.drop()
        raise
    return stream


def sweep(folder: Path) -> None:
    """Remove all streams in a folder: of an engine that was killed, for the one that starts has begun none."""
    with suppress(FileNotFoundError):
        for path in [*folder.iterdir()]:
            path.unlink(missing_ok=True)


def _end_left(plugin: LogPlugin, note: Path) -> None:
    """Tell the plugin of the end of a stream whose engine was killed."""
    try:
        name = json.loads(note.read_text())
    except (FileNotFoundError, ValueError):
        return
    if isinstance(name, str) and name.isalnum():
        with suppress(WharfError):  # it may not know it any more
            plugin.stop(name)
        (plugin.folder / name).unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _await_reader(plugin: LogPlugin, fd: int) -> None:
    """Wait until the plugin has opened its end: it may do so after it has answered."""
    end = time.monotonic() + _READER_S
    while not _is_read(fd):
        if time.monotonic() > end:
            raise OSError(errno.EPIPE, f"the log plugin {plugin.name} does not open the stream it was told of")
        time.sleep(_POLL_S)


def _is_read(fd: int) -> bool:
    """Return whether anybody has the other end open (poll(2), POLLERR)."""
    poll = select.poll()
    poll.register(fd, 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def _waiting(fd: int) -> int:
    """Return how many bytes are in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0])


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()
    loop.add_writer(fd, _settle, there)
    try:
        await there
    finally:
        loop.remove_writer(fd)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
