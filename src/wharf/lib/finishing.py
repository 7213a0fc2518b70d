"""What must not be left half done."""

from __future__ import annotations

import asyncio
from typing import TypeVar

_T = TypeVar("_T")


async def to_the_end(task: asyncio.Task[_T]) -> _T:
    """Wait for a task, however often this is cancelled meanwhile: a client that resets its call also hangs up.

    Raises:
        CancelledError: this was cancelled, and the task has ended.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result
