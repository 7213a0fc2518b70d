from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.root import groups
from tests.root.shim.harness import Bench

from wharf.kernel.cgroup.group import open_cgroup
from wharf.processes import folder as folders
from wharf.processes.shim import Shim

pytestmark = [pytest.mark.root, pytest.mark.slow]

_ROUNDS = 25
_GROUPS = f"{groups.PARENT}/k"


def _killed_engine(folder: Path, delay_s: float) -> list[str]:
    """Let an engine start containers, kill it that long after its first request; return the ids it told."""
    victim = Path(__file__).parent / "victim.py"
    with subprocess.Popen([sys.executable, str(victim), str(folder), _GROUPS], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        first = engine.stdout.readline()
        time.sleep(delay_s)
        engine.send_signal(signal.SIGKILL)
        told = first + engine.stdout.read()
    return told.decode().split()


async def _settle(folder: Path, ids: list[str]) -> list[str]:
    """Be the next engine: return what it found of each id, then end it all."""
    bench, outcomes = Bench(folder), []
    for container_id in ids:
        group = f"{_GROUPS}/{container_id}"
        found = await bench.processes.adopt(container_id, group)
        outcomes.append("lives" if isinstance(found, Shim) else "nothing" if found is None else "ended")
        if found is None:
            assert not open_cgroup(group).exists
        await bench.processes.abolish(container_id, group)
        assert folders.is_dead(bench.run.shim(container_id))
        assert not open_cgroup(group).exists
    await bench.processes.aclose()
    return outcomes


def test_an_engine_killed_anywhere_leaves_nothing_that_the_next_one_does_not_find(tmp_path: Path) -> None:
    dice = random.Random(7)
    outcomes: list[str] = []
    for number in range(_ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        ids = _killed_engine(folder, dice.uniform(0.0, 0.15))
        found = asyncio.run(_settle(folder, ids))
        assert all(outcome == "lives" for outcome in found[:-1])
        outcomes.append(found[-1])
    open_cgroup(_GROUPS).delete()

    assert set(outcomes) <= {"lives", "nothing"}
