"""A connection that was taken over from HTTP, for gRPC: reads and writes block, so each is done on a thread."""

from __future__ import annotations

import asyncio

from wharf.client.http1 import Wire

_MOST_PENDING = 1 << 20


class WireLink:
    """A link over a wire; use it within one event loop, and leave it by :meth:`aclose`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._outbox: list[bytes] = []
        self._news = asyncio.Event()
        self._pending = 0
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._writer = asyncio.get_running_loop().create_task(self._write())

    async def receive(self) -> bytes:
        """Wait for bytes; b"" when no more come."""
        try:
            return await asyncio.to_thread(self._wire.read_some, 1 << 18)
        except OSError as error:
            raise ConnectionResetError(str(error)) from error

    def write(self, data: bytes) -> None:
        """Send bytes, without waiting."""
        if self._closing:
            return
        self._pending += len(data)
        if self._pending > _MOST_PENDING:
            self._room.clear()
        self._outbox.append(data)
        self._news.set()

    async def drained(self) -> None:
        """Wait while the other side is slow."""
        await self._room.wait()
        if self._writer.done():
            raise ConnectionResetError("the engine closed the connection")

    def close(self) -> None:
        """End the connection, once what was written is sent."""
        self._closing = True
        self._news.set()

    async def aclose(self) -> None:
        """End the connection and wait for it."""
        self.close()
        await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while self._outbox or not self._closing:
                await self._news.wait()
                self._news.clear()
                pieces, self._outbox = self._outbox, []
                await asyncio.to_thread(self._send, pieces)
                self._pending -= sum(map(len, pieces))
                if self._pending <= _MOST_PENDING:
                    self._room.set()
        except OSError:
            self._closing = True  # whoever reads learns why
        finally:
            self._room.set()
            self._wire.shut_down()

    def _send(self, pieces: list[bytes]) -> None:
        """Send all that waits in one turn of a thread: one each takes longer than the sending."""
        for data in pieces:
            self._wire.send(data)
