"""What an engine makes when it is entered, and what it leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import wharf
from wharf.errors import Conflict
from wharf.storage.layout import run_root_of

pytestmark = pytest.mark.root

_IDLE = {"Image": "busybox", "Cmd": ["sleep", "60"]}


def test_nothing_is_left_of_the_run_root_of_an_engine_that_has_been_left(root: Path) -> None:
    run = run_root_of(root)

    async def main() -> None:
        async with wharf.Engine(root) as engine:
            await engine.networks.create({"Name": "n1"})
            await engine.run("busybox", ["true"], network="n1")
            await engine.run("busybox", ["true"])
            assert run.path.is_dir()

    asyncio.run(main())

    assert not run.path.exists()


def test_the_run_root_stays_for_containers_that_run_on_and_goes_after_them(root: Path) -> None:
    run = run_root_of(root)

    async def started() -> None:
        async with wharf.Engine(root) as engine:
            await engine.containers.create({**_IDLE, "HostConfig": {"NetworkMode": "none"}}, name="c1")  # type: ignore[typeddict-item]
            await engine.containers.start("c1")

    async def removed() -> None:
        async with wharf.Engine(root) as engine:
            await engine.containers.remove("c1", force=True)

    asyncio.run(started())
    assert [len(list(folder.iterdir())) for folder in (run.shims, run.netns)] == [1, 0]

    asyncio.run(removed())
    assert not run.path.exists()


def test_an_engine_that_may_not_open_a_root_takes_nothing_from_the_one_that_has_it(root: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(root) as engine:
            with pytest.raises(Conflict, match="is in use by another engine"):
                await wharf.Engine(root).__aenter__()
            await engine.run("busybox", ["true"])

    asyncio.run(main())


def test_an_engine_that_is_not_open_says_so(root: Path) -> None:
    with pytest.raises(RuntimeError, match="the engine is not open"):
        _ = wharf.Engine(root).containers
