from __future__ import annotations

import asyncio

import pytest

from wharf.engine.under_way import UnderWay
from wharf.errors import Unavailable


def test_blocks_are_cut_short_and_have_cleaned_up_when_end_returns() -> None:
    told: list[str] = []

    async def block(under_way: UnderWay) -> None:
        async with under_way.within(None):
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                told.append("cleaned up")

    async def scenario() -> list[BaseException | None]:
        under_way = UnderWay()
        blocks = [asyncio.create_task(block(under_way)) for _ in range(2)]
        await asyncio.sleep(0)
        await under_way.end()
        told.append("ended")
        return await asyncio.gather(*blocks, return_exceptions=True)

    errors = asyncio.run(scenario())
    assert told == ["cleaned up", "cleaned up", "ended"]
    assert [type(error) for error in errors] == [Unavailable, Unavailable]


def test_a_timeout_stays_one() -> None:
    async def scenario() -> None:
        async with UnderWay().within(0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(scenario())


def test_what_is_over_is_not_ended() -> None:
    async def scenario() -> str:
        under_way = UnderWay()
        async with under_way.within(1):
            pass
        await under_way.end()
        return "no error"

    assert asyncio.run(scenario()) == "no error"
