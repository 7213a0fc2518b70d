"""On folders that look like hierarchies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.kernel.cgroup.hierarchy import Hierarchies
from wharf.kernel.cgroup.inner import ALL, Inner


@pytest.fixture
def hierarchies(tmp_path: Path) -> Hierarchies:
    for root in ("cpu", "memory", "v2"):
        for group in ("box", "box/inner", "box/other"):
            (tmp_path / root / group).mkdir(parents=True)
            (tmp_path / root / group / "tasks").touch()
    v1 = {"cpu": f"{tmp_path}/cpu", "cpuacct": f"{tmp_path}/cpu", "memory": f"{tmp_path}/memory"}
    return Hierarchies(v1, f"{tmp_path}/v2", frozenset())


def _opened(hierarchies: Hierarchies, paths: dict[str, str], tmp_path: Path) -> set[str]:
    entry = Inner("/box", paths, hierarchies).open_entry()
    try:
        links = [os.readlink(f"/proc/self/fd/{fd}") for fd in (*entry.v1, entry.v2)]
        return {link.removeprefix(f"{tmp_path}/") for link in links}
    finally:
        entry.close()


@pytest.mark.parametrize(
    ("paths", "opened"),
    [
        ({}, {"cpu/box/tasks", "memory/box/tasks", "v2/box"}),
        ({ALL: "/inner/"}, {"cpu/box/inner/tasks", "memory/box/inner/tasks", "v2/box/inner"}),
        ({"memory": "inner"}, {"cpu/box/tasks", "memory/box/inner/tasks", "v2/box"}),
        ({"cpuacct": "inner", ALL: "other"}, {"cpu/box/inner/tasks", "memory/box/other/tasks", "v2/box/other"}),
    ],
)
def test_each_controller_has_its_door(
    hierarchies: Hierarchies, tmp_path: Path, paths: dict[str, str], opened: set[str]
) -> None:
    assert _opened(hierarchies, paths, tmp_path) == opened


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ({"moon": "inner"}, "no hierarchy has the controller moon"),
        ({"cpu": "inner", "cpuacct": "other"}, "have one path"),
        ({"memory": "missing"}, "No such file"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_stays_open(
    hierarchies: Hierarchies, paths: dict[str, str], said: str
) -> None:
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(OSError, match=said):
        Inner("/box", paths, hierarchies).open_entry()
    assert len(os.listdir("/proc/self/fd")) == before
