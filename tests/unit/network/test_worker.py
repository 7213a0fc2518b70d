"""Blocking work goes to its end, whatever becomes of who waits for it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from wharf.network.worker import to_completion


def test_answer_and_error_are_the_works_own() -> None:
    def fail() -> None:
        raise OSError(12, "no memory")

    assert asyncio.run(to_completion(divmod, 7, 2)) == (3, 1)
    with pytest.raises(OSError, match="no memory"):
        asyncio.run(to_completion(fail))


def test_caller_of_work_that_finds_no_next_one_is_told_and_does_not_wait_for_ever() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="no next one"):
            await asyncio.wait_for(to_completion(lambda: next(iter(()))), 5)

    asyncio.run(main())


def test_cancelled_caller_waits_for_the_end() -> None:
    begun, free, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        free.wait()
        done.set()

    async def main() -> None:
        task = asyncio.ensure_future(to_completion(work))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        asyncio.get_running_loop().call_later(0.01, free.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()

    asyncio.run(main())
