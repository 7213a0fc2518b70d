"""Blocking work on worker threads, to its end whatever becomes of who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def to_completion(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking ``work`` on a worker thread; a cancelled caller waits for its end, so undoing comes after it."""
    task = asyncio.ensure_future(asyncio.to_thread(_told, partial(work, *args, **kwargs)))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _told(work: Callable[[], T]) -> T:
    """Run ``work``; a StopIteration, which no future can carry, so that its caller would wait for ever, is a bug."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("there is no next one") from error
