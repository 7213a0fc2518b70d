"""Between the event loop and the threads that do the blocking work: one limiter, streams in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import CancelledError as FutureCancelled
from typing import Final, TypeVar

from wharf.errors import Unavailable

_AT_ONCE: Final = 4

T = TypeVar("T")


class Blocking:
    """Runs blocking work on threads, a few at a time; an abandoned call is waited for, so nothing runs on unseen."""

    def __init__(self) -> None:
        self._limiter = asyncio.Semaphore(_AT_ONCE)

    async def run(self, work: Callable[[], T], abandon: Callable[[], None] = lambda: None) -> T:
        """Return what ``work`` returns; when cancelled, call ``abandon`` and wait for ``work`` to end."""
        async with self._limiter:
            task = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                abandon()
                await asyncio.wait({task})
                if not task.cancelled():
                    task.exception()  # seen: the caller is told that it was cancelled
                raise

    async def run_with(self, chunks: AsyncIterator[bytes], work: Callable[[Incoming], T]) -> T:
        """Return what ``work`` makes of a stream that arrives on the event loop; the stream is closed at the end."""
        source = Incoming(chunks, asyncio.get_running_loop())
        try:
            return await self.run(lambda: work(source), source.abandon)
        finally:
            await source.aclose()

    async def iterate(self, items: Iterator[T]) -> AsyncGenerator[T, None]:
        """Yield from an iterator that blocks; a generator is closed at the end."""
        try:
            while (item := await self.run(lambda: next(items, None))) is not None:
                yield item
        finally:
            if isinstance(items, Generator):
                await self.run(items.close)


class Incoming:
    """A stream of the event loop, read by a thread."""

    def __init__(self, chunks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._chunks = chunks
        self._loop = loop
        self._chunk = b""
        self._at = 0
        self._turn = asyncio.Lock()
        # The loop's own: the thread does not look at them, so they are never out of step.
        self._reading: asyncio.Task[bytes] | None = None
        self._abandoned = False

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end; called by the thread.

        Raises:
            Unavailable: the reader's request was cancelled.
        """
        while self._at >= len(self._chunk):
            try:
                chunk = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            except FutureCancelled:
                raise Unavailable("the request was cancelled") from None
            if chunk is _END:
                return b""
            self._chunk, self._at = chunk, 0
        start, self._at = self._at, self._at + size
        return self._chunk[start : self._at]  # all of it is nobody's copy

    async def _next(self) -> bytes:
        if self._abandoned:
            raise Unavailable("the request was cancelled")
        self._reading = asyncio.current_task()
        try:
            async with self._turn:
                return await anext(self._chunks, _END)
        finally:
            self._reading = None

    async def aclose(self) -> None:
        """Close the stream, once whoever reads it has let go."""
        async with self._turn:
            if isinstance(self._chunks, AsyncGenerator):
                await self._chunks.aclose()

    def abandon(self) -> None:
        """Make the thread's present and later reads fail; called on the event loop."""
        self._abandoned = True
        if self._reading is not None:
            self._reading.cancel()


_END: Final = bytes(bytearray(b"end"))
"""Told from data by identity."""
