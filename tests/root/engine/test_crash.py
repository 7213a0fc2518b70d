"""The engine is killed with SIGKILL at random points of a container's life; nothing is lost and nothing leaks."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.root.engine.heard import says
from tests.root.life import STEPS
from tests.root.wharfd import until
from tests.root.world import EMPTY, observe

import wharf
from wharf.storage.layout import DataRoot, run_root_of

KILLS = 60
LIFE = Path(__file__).with_name("life.py")


def _live_and_die(root: Path, number: int, steps: int, delay_s: float) -> None:
    """Start a program that takes containers through their lives; kill it ``delay_s`` after it begins a step.

    Its first container's life is that of ``number``.
    """
    child = subprocess.Popen(
        [sys.executable, str(LIFE), str(root), str(number)],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=_environment(),
    )
    assert child.stdout is not None
    with child.stdout:
        for _ in range(steps):
            assert child.stdout.readline().decode().strip() in STEPS
        time.sleep(delay_s)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def _cgroup_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text()


async def _agree_and_clean_up(root: Path) -> list[str]:
    """Open an engine on what is left, check every record against the kernel, remove all; return the statuses."""
    statuses = []
    async with wharf.Engine(root) as engine:
        for summary in await engine.containers.list(all=True):
            document = await engine.containers.inspect(summary["Id"] or "")
            state = document["State"] or {}
            statuses.append(state["Status"] or "")
            if state["Running"]:
                assert document["Id"] in _cgroup_of(state["Pid"] or 0), (
                    "a running container's init must be in its cgroup"
                )
            await engine.containers.remove(document["Id"] or "", force=True, volumes=True)
        assert await engine.containers.list(all=True) == []
    return statuses


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killing_the_engine_at_any_point_loses_and_leaks_nothing(root: Path) -> None:
    data, run = DataRoot(root), run_root_of(root)
    chance = random.Random(20)
    seen: set[str] = set()
    for number in range(KILLS):
        bridged, begun = number % 2, number // 2 % len(STEPS)
        _live_and_die(root, bridged, steps=begun + 1, delay_s=chance.uniform(0, 0.03))
        seen.update(asyncio.run(_agree_and_clean_up(root)))

        assert observe(data, run) == EMPTY
        assert list(data.volumes.iterdir()) == []

    assert {"running", "created"} <= seen, "the kills must hit different stages"


def test_a_running_container_outlives_its_engine_and_is_found_again(root: Path) -> None:
    async def begin() -> tuple[str, int]:
        async with wharf.Engine(root) as engine:
            created = await engine.containers.create(
                {"Image": "busybox", "Cmd": ["sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done"]},
                name="lasting",
            )
            await engine.containers.start(created["Id"] or "")
            await says(engine, "lasting", b"up")
            document = await engine.containers.inspect("lasting")
            return created["Id"] or "", (document["State"] or {})["Pid"] or 0

    async def go_on(container_id: str, pid: int) -> int:
        async with wharf.Engine(root) as engine:
            document = await engine.containers.inspect("lasting")
            assert (document["Id"], (document["State"] or {})["Pid"]) == (container_id, pid)
            await engine.containers.stop("lasting")
            document = await engine.containers.inspect("lasting")
            await engine.containers.remove("lasting")
            return (document["State"] or {})["ExitCode"] or 0

    container_id, pid = asyncio.run(begin())

    assert asyncio.run(go_on(container_id, pid)) == 5


def test_an_exit_while_no_engine_runs_is_recorded_by_the_next(root: Path, tmp_path: Path) -> None:
    (gate := tmp_path / "gate").mkdir()

    async def begin() -> Path:
        async with wharf.Engine(root) as engine:
            made = await engine.containers.create(
                {
                    "Image": "busybox",
                    "Cmd": ["sh", "-c", "until [ -e /gate/open ]; do sleep 0.02; done; exit 3"],
                    "HostConfig": {"Binds": [f"{gate}:/gate"]},
                },
                name="brief",
            )
            await engine.containers.start("brief")
            return run_root_of(root).shim(made["Id"] or "")

    async def look() -> tuple[str | None, int | None]:
        async with wharf.Engine(root) as engine:
            state = (await engine.containers.inspect("brief"))["State"] or {}
            await engine.containers.remove("brief")
            return state["Status"], state["ExitCode"]

    shim = asyncio.run(begin())
    (gate / "open").touch()
    until((shim / "exit.json").exists)

    assert asyncio.run(look()) == ("exited", 3)


def test_a_second_engine_on_the_same_root_is_refused(root: Path) -> None:
    async def both() -> None:
        async with wharf.Engine(root):
            with pytest.raises(wharf.errors.Conflict):
                async with wharf.Engine(root):
                    pass

    asyncio.run(both())
