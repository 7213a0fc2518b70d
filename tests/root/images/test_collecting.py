"""Garbage is collected while images come, are made, started from and removed: never what somebody needs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes.registry import FakeRegistry, serving
from tests.root.images.conftest import Store, chunks, saved, tar
from tests.root.images.test_pull import fresh, stock

from wharf.images.check import Depth
from wharf.images.images import Images
from wharf.images.registry.credentials import ANONYMOUS

pytestmark = pytest.mark.root
_ROUNDS = 12


async def _beside_prunes(images: Images, work: Callable[[], Awaitable[object]]) -> None:
    """Do ``work`` again and again while unused images are pruned without a pause."""
    done = asyncio.Event()

    async def prune() -> None:
        while not done.is_set():
            await images.prune({"dangling": ["false"]})

    pruning = asyncio.ensure_future(prune())
    try:
        for _ in range(_ROUNDS):
            await work()
    finally:
        done.set()
        await pruning


async def _whole(images: Images) -> list[str]:
    return [f"{found.kind} {found.subject}: {found.problem}" async for found in images.check(Depth())]


def test_a_pull_beside_prunes_is_whole_or_gone(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)

    async def main() -> None:
        async with serving(fake), fresh(store) as images:

            async def pull() -> None:
                async for _ in images.transfers.pull(f"{fake.address}/repo:1", credentials=ANONYMOUS):
                    pass

            await _beside_prunes(images, pull)
            assert await _whole(images) == []

    asyncio.run(main())


def test_loads_and_imports_beside_prunes_are_whole_or_gone(store: Store) -> None:
    async def main() -> None:
        async with fresh(store) as images:
            async for _ in images.import_(chunks(tar(f=os.urandom(50_000))), repository="a"):
                pass
            archive = await saved(store, "a")

            async def load() -> None:
                async for _ in images.load(chunks(archive, 20_000)):
                    pass
                async for _ in images.import_(chunks(tar(g=os.urandom(5000)), 1000), repository="b"):
                    pass

            await _beside_prunes(images, load)
            assert await _whole(images) == []

    asyncio.run(main())


def test_layers_that_a_container_is_being_made_on_stay(store: Store) -> None:
    async def main() -> None:
        async with fresh(store) as images:
            async for _ in images.import_(chunks(tar(f=b"1")), repository="a"):
                pass
            record = images.resolve("a")
            with images.hold(record):
                await images.prune({"dangling": ["false"]})
                assert [path.is_dir() for path in store.snapshots.lower_dirs(record.chain_id)] == [True]
            await images.prune({})
            assert list(store.data.snapshots.iterdir()) == []

    asyncio.run(main())
