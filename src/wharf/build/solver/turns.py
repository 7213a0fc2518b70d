"""Turns: of two builds that come to the same step at the same time one does it, and the other finds its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Those of one engine, by key; nothing is kept of a key that nobody is about."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._about: dict[str, int] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Wait for one's turn; within, nobody else has this key's. Whoever fails lets the next one try."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._about[key] = self._about.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._about[key] -= 1
            if not self._about[key]:
                del self._about[key], self._locks[key]
