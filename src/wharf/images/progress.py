"""What a transfer tells as it goes on: Docker's progress documents (Engine API, "CreateImageInfo").

News of one step come at most a few times a second, and its last one always.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Final

from wharf.lib.sizes import human_size

Document = dict[str, object]
_BAR: Final = 50
_EVERY_S: Final = 0.1


def bar(current: int, total: int) -> str:
    """Return a bar with its numbers: ``[====>     ]  1.2MB/3.4MB``."""
    if total <= 0:
        return human_size(current, digits=4)
    done = min(_BAR, current * _BAR // total)
    drawn = "=" * done + (">" if done < _BAR else "") + " " * (_BAR - done - 1)
    return f"[{drawn}] {human_size(current, digits=4):>8}/{human_size(total, digits=4)}"


def step(status: str, name: str) -> Document:
    """Return that a step has come to ``status``."""
    return {"status": status, "progressDetail": {}, "id": name}


class Progress:
    """A queue of documents, filled by a transfer and emptied by whoever follows it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Document | None] = asyncio.Queue()
        self._told: dict[str, float] = {}

    def tell(self, document: Document) -> None:
        """Say something; on the event loop's thread."""
        self._queue.put_nowait(document)

    def step(self, status: str, name: str) -> None:
        """Say that a step has come to ``status``."""
        self.tell(step(status, name))

    def count(self, status: str, name: str, current: int, total: int) -> None:
        """Say how far a step is; left out when it was said a moment ago."""
        now = time.monotonic()
        if current < total and now - self._told.get(name, 0.0) < _EVERY_S:
            return
        self._told[name] = now
        detail = {"current": current, "total": total}
        self.tell({"status": status, "progressDetail": detail, "progress": bar(current, total), "id": name})

    async def follow(self, work: Coroutine[object, object, None]) -> AsyncGenerator[Document, None]:
        """Run ``work`` and yield what it tells; it is cancelled when the follower leaves. Raises what it raises."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._queue.put_nowait(None))
        try:
            while (document := await self._queue.get()) is not None:
                yield document
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})


async def counted(
    chunks: AsyncGenerator[bytes, None], tell: Callable[[int], None], start: int = 0
) -> AsyncGenerator[bytes, None]:
    """Pass ``chunks`` on, telling how many bytes there have been; they are closed at the end."""
    at = start
    async with aclosing(chunks):
        async for data in chunks:
            at += len(data)
            tell(at)
            yield data
