"""Two ends of a connection in memory, and BuildKit's client at one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from wharf.rpc.channel import Channel
from wharf.rpc.methods import Method
from wharf.rpc.server import serve


class MemoryLink:
    """One end; ``far`` is the other."""

    far: MemoryLink

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent = bytearray()
        self.is_open = True

    async def receive(self) -> bytes:
        return await self._inbox.get()

    def write(self, data: bytes) -> None:
        if self.is_open:
            self.sent += data
            self.far._inbox.put_nowait(data)

    async def drained(self) -> None:
        await asyncio.sleep(0)

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.far._inbox.put_nowait(b"")


def links() -> tuple[MemoryLink, MemoryLink]:
    one, other = MemoryLink(), MemoryLink()
    one.far, other.far = other, one
    return one, other


@asynccontextmanager
async def connected(methods: Mapping[str, Method]) -> AsyncIterator[Channel]:
    """Serve methods, and give the channel to ask for them."""
    near, far = links()
    channel = Channel(near)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(far, methods))
        group.create_task(channel.run())
        yield channel
        channel.close()
        far.close()
        near.close()
