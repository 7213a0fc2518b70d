from __future__ import annotations

import asyncio

import pytest

from wharf.lib.finishing import to_the_end


async def _cancelled_twice(waiting: asyncio.Task[str]) -> None:
    for _ in range(2):
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.sleep(0)


def test_what_is_waited_for_ends_however_often_the_waiter_is_cancelled() -> None:
    async def body() -> None:
        go_on = asyncio.Event()

        async def work() -> str:
            await go_on.wait()
            return "done"

        task = asyncio.create_task(work())
        waiting = asyncio.create_task(to_the_end(task))
        await _cancelled_twice(waiting)
        assert not waiting.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert task.result() == "done"

    asyncio.run(body())


def test_what_it_makes_or_its_failure_is_told() -> None:
    async def made() -> str:
        return "made"

    async def fails() -> str:
        raise ValueError("why")

    async def body() -> None:
        assert await to_the_end(asyncio.create_task(made())) == "made"
        with pytest.raises(ValueError, match="why"):
            await to_the_end(asyncio.create_task(fails()))

    asyncio.run(body())
