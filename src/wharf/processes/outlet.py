"""The sending side of a SEQPACKET socket that any number of tasks send on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

from wharf.kernel import sockets


class Outlet:
    """Datagrams leave whole and in turn. Does not own the socket; belongs to the event loop it is used in."""

    def __init__(self, sock: socket.socket) -> None:
        """Send on ``sock``, which is non-blocking."""
        self._sock = sock
        self._turn = asyncio.Lock()  # an event loop keeps one writer of a descriptor: a second would take its place
        self._room = asyncio.Event()
        self._watched: int | None = None

    async def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one datagram, waiting while the other side is behind; the caller keeps its descriptors.

        Raises:
            OSError: EPIPE or ECONNRESET when nobody is there any more, EBADF when the socket has been closed;
                EMSGSIZE when it is too long.
        """
        async with self._turn:
            while True:
                try:
                    sockets.send(self._sock, message, fds)
                except BlockingIOError:
                    await self._wait()
                else:
                    return

    def let_go(self) -> None:
        """Have whoever waits try again, for the socket is about to be closed; idempotent."""
        self._unwatch()
        self._room.set()

    async def _wait(self) -> None:
        self._room.clear()
        self._watched = self._sock.fileno()
        asyncio.get_running_loop().add_writer(self._watched, self._room.set)
        try:
            await self._room.wait()
        finally:
            self._unwatch()

    def _unwatch(self) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            asyncio.get_running_loop().remove_writer(watched)
