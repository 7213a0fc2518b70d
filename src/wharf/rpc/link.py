"""What HTTP/2 runs on: bytes both ways, whatever carries them."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

_CHUNK: Final = 1 << 18


class Link(Protocol):
    """A connection. ``receive`` and ``drained`` raise ConnectionError once the other side is gone."""

    async def receive(self) -> bytes:
        """Wait for bytes; b"" when no more come."""

    def write(self, data: bytes) -> None:
        """Send bytes, without waiting; nothing happens when the connection is gone."""

    async def drained(self) -> None:
        """Wait while the other side is slow."""

    def close(self) -> None:
        """End the connection, once what was written is sent."""


class StreamLink:
    """A link over a pair of asyncio's streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        """Wait for bytes."""
        return await self._reader.read(_CHUNK)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not self._writer.is_closing():
            self._writer.write(data)

    async def drained(self) -> None:
        """Wait while the other side is slow."""
        await self._writer.drain()

    def close(self) -> None:
        """End the connection."""
        self._writer.close()
