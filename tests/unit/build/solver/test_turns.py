from __future__ import annotations

import asyncio

import pytest

from wharf.build.solver.turns import Turns


def test_one_key_is_ones_at_a_time_and_others_do_not_wait() -> None:
    async def body() -> list[str]:
        turns, told = Turns(), []
        first_is_in, let_go = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with turns.of("k"):
                first_is_in.set()
                await let_go.wait()
                told.append("first")

        async def second() -> None:
            async with turns.of("k"):
                told.append("second")

        async with asyncio.TaskGroup() as group:
            group.create_task(first())
            await first_is_in.wait()
            group.create_task(second())
            async with turns.of("other"):
                told.append("other")
            let_go.set()
        assert turns._locks == turns._about == {}
        return told

    assert asyncio.run(body()) == ["other", "first", "second"]


def test_who_fails_lets_the_next_one_try() -> None:
    async def body() -> None:
        turns = Turns()
        with pytest.raises(KeyError):
            async with turns.of("k"):
                raise KeyError
        async with asyncio.timeout(60), turns.of("k"):
            pass

    asyncio.run(body())
