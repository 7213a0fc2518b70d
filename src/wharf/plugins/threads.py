"""Calls of plugins from an event loop: on threads of their own, so that plugins that hang hold up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Run = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Does blocking work elsewhere."""

_AT_ONCE: Final = 64
_threads: Final = ThreadPoolExecutor(_AT_ONCE, "wharf-plugin")  # started one by one, when none of them is idle


async def asked(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what blocking ``work`` returns; when cancelled, it goes on to its own end, which its time-out brings."""
    call = partial(copy_context().run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


@asynccontextmanager
async def own_thread() -> AsyncIterator[Run]:
    """Yield how to do blocking work on one thread of its own, for it may wait for as long as it likes.

    A call that is cancelled goes on: whoever cancels it ends what it waits for.
    """
    thread = ThreadPoolExecutor(1, "wharf-plugin-stream")
    try:
        yield partial(asyncio.get_running_loop().run_in_executor, thread)
    finally:
        thread.shutdown(wait=False)
