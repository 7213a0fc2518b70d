from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from wharf.errors import Unavailable
from wharf.images.progress import Progress, bar, counted


@pytest.mark.parametrize(
    ("current", "total", "expected"),
    [
        (0, 1000, "[>" + " " * 49 + "]       0B/1kB"),
        (500, 1000, "[" + "=" * 25 + ">" + " " * 24 + "]     500B/1kB"),
        (1000, 1000, "[" + "=" * 50 + "]      1kB/1kB"),
        (1234, 0, "1.234kB"),
    ],
)
def test_a_bar_is_dockers(current: int, total: int, expected: str) -> None:
    assert bar(current, total) == expected


def test_counts_come_seldom_but_the_last_always() -> None:
    async def gather() -> list[object]:
        progress = Progress()

        async def work() -> None:
            for current in range(1001):
                progress.count("Downloading", "a", current, 1000)

        return [document["progressDetail"] async for document in progress.follow(work())]

    told = asyncio.run(gather())
    assert len(told) < 20
    assert told[-1] == {"current": 1000, "total": 1000}


def test_what_fails_is_raised_after_what_was_told() -> None:
    async def gather() -> list[str]:
        progress = Progress()
        told = []

        async def work() -> None:
            progress.step("Preparing", "a")
            raise Unavailable("gone")

        async def follow() -> None:
            async for document in progress.follow(work()):
                told.append(str(document["status"]))  # noqa: PERF401  # it ends in an error

        with pytest.raises(Unavailable, match="gone"):
            await follow()
        return told

    assert asyncio.run(gather()) == ["Preparing"]


def test_work_ends_with_its_follower() -> None:
    async def leave() -> bool:
        progress, ended = Progress(), asyncio.Event()

        async def work() -> None:
            progress.step("Preparing", "a")
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        following = progress.follow(work())
        await anext(following)
        await following.aclose()  # type: ignore[attr-defined]  # a generator
        return ended.is_set()

    assert asyncio.run(leave())


def test_counted_chunks_tell_where_they_are() -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"ab"
        yield b"c"

    async def gather() -> tuple[bytes, list[int]]:
        told: list[int] = []
        data = b"".join([piece async for piece in counted(chunks(), told.append, 10)])
        return data, told

    assert asyncio.run(gather()) == (b"abc", [12, 13])
