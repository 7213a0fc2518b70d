"""Streams between the event loop and a blocking thread: a thread each, so a slow client holds up nobody else."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO, Final, Self, TypeVar

from wharf.images.bridge import Incoming

T = TypeVar("T")

_CHUNK: Final = 256 * 1024


async def on_thread(work: Callable[[], T], name: str, abandon: Callable[[], None] = lambda: None) -> T:
    """Return what ``work`` returns on a thread of its own; when cancelled, call ``abandon`` and wait for its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[T], None] | Callable[[BaseException], None], value: object) -> None:
        if not done.done():
            set_(value)  # type: ignore[arg-type]  # the pair comes from run

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # raised in the caller's task
            loop.call_soon_threadsafe(settle, done.set_exception, error)
        else:
            loop.call_soon_threadsafe(settle, done.set_result, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        abandon()
        await asyncio.wait({done})
        if not done.cancelled():
            done.exception()  # seen: the caller is told that it was cancelled
        raise


async def take_in(chunks: AsyncIterator[bytes], work: Callable[[Incoming], T]) -> T:
    """Return what ``work`` makes of a stream that arrives on the event loop."""
    source = Incoming(chunks, asyncio.get_running_loop())
    task = asyncio.ensure_future(on_thread(lambda: work(source), "wharf-in"))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        source.abandon()
        await asyncio.wait({task})
        raise


class Outgoing:
    """What ``work`` writes, read on the event loop; iterate to the end, or :meth:`aclose`.

    ``work`` starts at once and is held up while nobody reads; when the reader goes its writes fail (BrokenPipeError).
    """

    def __init__(self, work: Callable[[BinaryIO], None]) -> None:
        self._fd, into = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._fd, False)  # os's own signature

        def produce() -> None:
            try:
                with os.fdopen(into, "wb", buffering=_CHUNK) as sink:
                    work(sink)
            except BrokenPipeError:
                pass  # the reader has gone

        self._producer: asyncio.Task[None] = asyncio.ensure_future(on_thread(produce, "wharf-out"))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while self._fd >= 0:
            try:
                data = os.read(self._fd, _CHUNK)
            except BlockingIOError:
                await self._readable()
                continue
            if data:
                return data
            await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop, and wait until ``work`` has let go; raises what it raised. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        await self._producer

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def on_readable() -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(self._fd, on_readable)
        try:
            await ready
        finally:
            loop.remove_reader(self._fd)
