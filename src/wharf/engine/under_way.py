"""What a program has under way in an engine when it leaves that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wharf.errors import Unavailable


class UnderWay:
    """Blocks that end early when the engine is left, and are waited for."""

    def __init__(self) -> None:
        self._blocks: dict[asyncio.Timeout, asyncio.Event] = {}
        self._cut_short: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def within(self, timeout_s: float | None) -> AsyncIterator[None]:
        """Be one of the blocks.

        Raises:
            TimeoutError: it has taken ``timeout_s``.
            Unavailable: :meth:`end` was called meanwhile.
        """
        left = asyncio.Event()
        block = asyncio.timeout(timeout_s)
        try:
            async with block:
                self._blocks[block] = left
                yield
        except TimeoutError:
            if block in self._cut_short:
                raise Unavailable("the engine was closed before the container had ended") from None
            raise
        finally:
            self._blocks.pop(block, None)
            self._cut_short.discard(block)
            left.set()

    async def end(self) -> None:
        """Cut all blocks short, and wait until each is left."""
        under_way = dict(self._blocks)
        for block in under_way:
            if not block.expired():
                self._cut_short.add(block)
                block.reschedule(asyncio.get_running_loop().time())
        for left in under_way.values():
            await left.wait()
