"""A client's connection once HTTP is over: bytes both ways, with back-pressure, each direction ending by itself.

The event loop feeds a :class:`ClientEnd`; :func:`tunnel` carries its bytes to and from a socket.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import socket
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from wharf.errors import InvalidArgument
from wharf.lib.stdcopy import STDOUT, Demultiplexer, frame

HIGH_WATER_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 1024
HEAD_READ_S = 1.0  # how long output waits for a client that does not read the answer's head
_LOOK_S = 0.001

_Callback = Callable[[], object]


class ClientEnd:
    """What a client sends and may be sent, without HTTP.

    Owned by its connection; fed by the event loop's callbacks, never blocking.
    """

    __slots__ = (
        "_changed", "_ended", "_hangup", "_inbox", "_lost", "_paused", "_transport", "_unread", "_writable",
        "upgrade",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, rest: bytes, *, upgrade: str = "") -> None:
        self.upgrade = upgrade
        self._transport = transport
        self._inbox: list[bytes] = [rest] if rest else []  # as it came: one buffer would be moved again and again
        self._unread = len(rest)
        self._ended = False
        self._paused = False
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._lost = asyncio.Event()
        self._hangup: HangupWatch | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes in; reading pauses while more than the high-water mark wait."""
        if self._lost.is_set():
            return
        self._inbox.append(data)
        self._unread += len(data)
        self._changed.set()
        if self._unread >= HIGH_WATER_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def feed_eof(self) -> None:
        """Note that the client sends no more; it may still read."""
        self._ended = True
        self._changed.set()

    def set_writable(self, writable: bool) -> None:  # noqa: FBT001  # the two callbacks of asyncio's flow control
        """Note whether the transport wants more bytes."""
        if writable:
            self._writable.set()
        else:
            self._writable.clear()

    def lose(self) -> None:
        """Note that the connection is gone; wakes everybody who waits on it."""
        self._lost.set()
        self._changed.set()
        self._writable.set()
        if self._hangup is not None:
            self._hangup.close()
            self._hangup = None

    async def wait(self) -> bool:
        """Wait until there are bytes to :meth:`take` (True) or the client has ended (False).

        Raises:
            ConnectionResetError: the client is gone.
        """
        while not self._inbox and not self._ended:
            self._changed.clear()
            self._check()
            await self._changed.wait()
        return bool(self._inbox)

    def take(self, send: Callable[[bytes], int]) -> None:
        """Offer what is here to ``send``, which returns how many bytes it took; those are gone then."""
        data = b"".join(self._inbox)
        rest = data[send(data) :]
        self._inbox = [rest] if rest else []
        self._unread = len(rest)
        if self._paused and self._unread < HIGH_WATER_BYTES:
            self._paused = False
            self._transport.resume_reading()

    def watch_hangup(self) -> None:
        """From now on, when the client has ended, notice that it reads no more either (unix sockets)."""
        peer = self._transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX and not self._lost.is_set():
            self._hangup = HangupWatch(peer.fileno(), self.close)

    async def write(self, data: bytes) -> None:
        """Send bytes, waiting while the client is slow; ConnectionResetError when it is gone."""
        self._check()
        self._transport.write(data)
        await self._writable.wait()
        self._check()

    def send(self, data: bytes) -> None:
        """Send bytes without waiting; nothing happens when the client is gone."""
        if not (self._lost.is_set() or self._transport.is_closing()):
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait while the client is slow; ConnectionResetError when it is gone."""
        await self._writable.wait()
        self._check()

    async def caught_up(self) -> None:
        """Wait until the client has read what it was sent, :data:`HEAD_READ_S` at most; unix sockets alone tell that.

        docker-py loses what it receives together with an answer's head: that stays in the buffer of http.client.

        Raises:
            ConnectionResetError: the client is gone.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + HEAD_READ_S
        self._check()
        while self._has_unread() and loop.time() < until:
            await asyncio.sleep(_LOOK_S)
            self._check()

    def _has_unread(self) -> bool:
        peer = self._transport.get_extra_info("socket")
        if peer is None or peer.family != socket.AF_UNIX:
            return False
        [unread] = struct.unpack("i", fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)))
        return bool(unread)

    async def lost(self) -> None:
        """Wait until the client is gone, then raise ConnectionResetError."""
        await self._lost.wait()
        self._check()

    def own_socket(self) -> socket.socket:
        """Return a socket of the caller's own to a client at a unix socket; the event loop reads no more of it.

        For what the loop's transport would drop: descriptors that come along (unix(7), SCM_RIGHTS).

        Raises:
            InvalidArgument: the client is at no unix socket, or has sent something already.
        """
        peer = self._transport.get_extra_info("socket")
        if peer is None or peer.family != socket.AF_UNIX or self._inbox or self._ended:
            raise InvalidArgument("descriptors come over unix sockets alone, once the protocol is switched")
        self._transport.pause_reading()
        return socket.socket(fileno=os.dup(peer.fileno()))

    def close(self) -> None:
        """Close the connection once what was written is sent."""
        self._transport.close()

    def _check(self) -> None:
        if self._lost.is_set() or self._transport.is_closing():
            raise ConnectionResetError("the client has gone")


class ClientLink:
    """A client's connection as HTTP/2 takes it (:class:`wharf.rpc.link.Link`)."""

    def __init__(self, client: ClientEnd) -> None:
        self._client = client

    async def receive(self) -> bytes:
        """Wait for bytes; b"" when no more come."""
        taken: list[bytes] = []

        def move(data: bytes) -> int:
            taken.append(data)
            return len(data)

        if await self._client.wait():
            self._client.take(move)
        return b"".join(taken)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._client.send(data)

    async def drained(self) -> None:
        """Wait while the client is slow."""
        await self._client.drained()

    def close(self) -> None:
        """End the connection."""
        self._client.close()


class HangupWatch:
    """Tells when the other end of a unix socket closes for good, after it has ended its own direction.

    A reader sees the same end of file for both; epoll's EPOLLHUP, which needs no asking for, tells them apart.
    """

    __slots__ = ("_epoll", "_loop")

    def __init__(self, fd: int, then: _Callback) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._epoll.register(fd, 0)
        self._loop.add_reader(self._epoll.fileno(), self._fire, then)

    def _fire(self, then: _Callback) -> None:
        self.close()
        then()

    def close(self) -> None:
        """Stop watching; idempotent."""
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


def as_it_is(data: bytes) -> bytes:
    """Return ``data``."""
    return data


def reframing(*, given_raw: bool, wanted_raw: bool) -> Callable[[bytes], bytes]:
    """Return what makes a process's bytes into those that the client was told of.

    A terminal's bytes in frames are standard output's; of frames, what a client wants raw is standard output alone.
    """
    if given_raw == wanted_raw:
        return as_it_is
    if given_raw:
        return partial(frame, STDOUT)
    demultiplexer = Demultiplexer()
    return lambda data: b"".join(payload for stream, payload in demultiplexer.feed(data) if stream == STDOUT)


async def tunnel(client: ClientEnd, process: socket.socket, reframe: Callable[[bytes], bytes] = as_it_is) -> None:
    """Carry bytes between a client and an attached process until the process's output ends or the client goes.

    The end of the client's bytes becomes the end of stdin. What a client sent before it went still reaches the
    process, as far as the socket takes it at once. Owns ``process`` and closes it; the client's connection is the
    caller's to close.
    """
    try:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(_inwards(client, process)), group.create_task(client.lost())]
            await _outwards(client, process, reframe)
            for task in beside:
                task.cancel()
    except* ConnectionError:
        with suppress(OSError):
            client.take(process.send)
    finally:
        process.close()


async def _outwards(client: ClientEnd, process: socket.socket, reframe: Callable[[bytes], bytes]) -> None:
    loop = asyncio.get_running_loop()
    data = await loop.sock_recv(process, CHUNK_BYTES)
    await client.caught_up()  # with the head, that is
    while data:
        await client.write(reframe(data))
        data = await loop.sock_recv(process, CHUNK_BYTES)


async def _inwards(client: ClientEnd, process: socket.socket) -> None:
    send: Callable[[bytes], int] = process.send
    while await client.wait():
        try:
            client.take(send)
        except BlockingIOError:
            await _writable(process)
        except (BrokenPipeError, ConnectionResetError):
            send = len  # the process reads no more, but its output goes on: do not block a client that still writes
    with suppress(OSError):
        process.shutdown(socket.SHUT_WR)
    client.watch_hangup()


async def _writable(process: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(process, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(process)
