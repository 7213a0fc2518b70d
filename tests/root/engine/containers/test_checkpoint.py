"""docker checkpoint and docker start --checkpoint, where CRIU works."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable

import pytest

import wharf
from wharf.errors import Conflict, InvalidArgument, NotFound, WharfError
from wharf.kernel.process import run

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]

_WORKS = shutil.which("criu") is not None and run(["criu", "check"]).code == 0
_needs_criu = pytest.mark.skipif(not _WORKS, reason="criu is not installed, or does not work on this kernel")
_COUNT = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done"


async def _run(engine: wharf.Engine, script: str, network: str = "none", **config: object) -> str:
    made = await engine.containers.create(
        {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": {"NetworkMode": network}, **config},  # type: ignore[typeddict-item]  # the caller's
        name="box",
    )
    await engine.containers.start("box")
    return made["Id"] or ""


async def _counted(engine: wharf.Engine) -> list[int]:
    log = [chunk async for chunk in await engine.containers.logs("box", timestamps=False)]
    return [int(number) for number in re.findall(rb"(\d+)\n", b"".join(log))]


async def _last(engine: wharf.Engine) -> int:
    return max(await _counted(engine), default=0)


async def _reach(engine: wharf.Engine, count: int) -> None:
    async with asyncio.timeout(60):
        while await _last(engine) < count:  # noqa: ASYNC110  # the log is the container's
            await asyncio.sleep(0.05)


@_needs_criu
@pytest.mark.parametrize("network", ["none", "bridge"])
def test_a_container_goes_on_where_it_was_saved(on_engine: OnEngine, network: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _run(engine, _COUNT, network)
        await _reach(engine, 3)
        await engine.containers.checkpoint("box", {"CheckpointID": "c1", "Exit": True})

        assert (await engine.containers.inspect("box"))["State"]["Status"] == "exited"  # type: ignore[index]  # it has one
        assert await engine.containers.checkpoints("box") == [{"Name": "c1"}]
        saved = await _last(engine)

        await engine.containers.start("box", saved="c1")
        await _reach(engine, saved + 1)
        counted = await _counted(engine)
        assert counted == list(range(1, len(counted) + 1))  # it did not begin anew, nor run meanwhile

        await engine.containers.remove_checkpoint("box", "c1")
        assert await engine.containers.checkpoints("box") == []

    on_engine(body)


@_needs_criu
def test_one_that_is_left_running_runs_and_may_be_saved_elsewhere(on_engine: OnEngine, tmp_path: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        identifier = await _run(engine, _COUNT)
        await engine.containers.checkpoint(
            "box", {"CheckpointID": "c1", "CheckpointDir": str(tmp_path), "Exit": False}
        )
        count = await _last(engine)
        await _reach(engine, count + 1)

        assert await engine.containers.checkpoints("box") == []
        assert await engine.containers.checkpoints("box", folder=str(tmp_path)) == [{"Name": "c1"}]
        await engine.containers.kill("box")
        await engine.containers.start("box", saved="c1", saved_dir=str(tmp_path))
        await _reach(engine, count + 2)
        assert (await engine.containers.inspect(identifier))["State"]["Running"]  # type: ignore[index]  # it has one

    on_engine(body)


@_needs_criu
def test_a_second_one_of_a_name_and_a_checkpoint_that_is_not_there_are_refused(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _run(engine, _COUNT)
        await engine.containers.checkpoint("box", {"CheckpointID": "c1", "Exit": False})
        with pytest.raises(Conflict, match="checkpoint with name c1 already exists for container box"):
            await engine.containers.checkpoint("box", {"CheckpointID": "c1", "Exit": False})
        with pytest.raises(NotFound, match="checkpoint c2 does not exist for container"):
            await engine.containers.remove_checkpoint("box", "c2")
        await engine.containers.kill("box")
        with pytest.raises(NotFound, match="checkpoint c2 does not exist for container"):
            await engine.containers.start("box", saved="c2")
        with pytest.raises(Conflict, match="Container box not running"):
            await engine.containers.checkpoint("box", {"CheckpointID": "c3"})

    on_engine(body)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden"])
def test_a_name_that_is_none_is_refused(on_engine: OnEngine, name: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _run(engine, "sleep 60")
        with pytest.raises(InvalidArgument, match="Invalid checkpoint ID"):
            await engine.containers.checkpoint("box", {"CheckpointID": name})

    on_engine(body)


def test_without_criu_the_reason_is_told_and_the_container_goes_on(
    on_engine: OnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent:/usr/sbin:/sbin")

    async def body(engine: wharf.Engine) -> None:
        await _run(engine, _COUNT)
        with pytest.raises(WharfError, match="Cannot checkpoint container box: criu is not installed"):
            await engine.containers.checkpoint("box", {"CheckpointID": "c1", "Exit": True})
        await _reach(engine, await _last(engine) + 1)
        assert await engine.containers.checkpoints("box") == []

    on_engine(body)
