"""A bench for each test of shims, of which nothing stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.root.shim.harness import CGROUPS, Bench

from wharf.kernel.cgroup.group import open_cgroup


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[Callable[[Bench], Awaitable[None]]], None]]:
    """Run an asynchronous test on a bench of its own, and see that nothing of it stays."""

    def run(test: Callable[[Bench], Awaitable[None]]) -> None:
        async def whole() -> None:
            bench = Bench(tmp_path)
            try:
                async with asyncio.timeout(120):
                    await test(bench)
            finally:
                await bench.processes.aclose()

        asyncio.run(whole())

    yield run
    group = open_cgroup(CGROUPS)
    group.kill_all()
    group.delete()
