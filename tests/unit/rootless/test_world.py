from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.errors import Forbidden
from wharf.kernel import lock
from wharf.lib.places import Places
from wharf.rootless import world
from wharf.spec.rootless import World

_WORLD: World = {
    "pid": 7,
    "uid": 1000,
    "ids": "single",
    "network": "none",
    "network_pid": 0,
    "lowest_port": 1024,
    "cgroup_v2": "",
    "cgroups": [],
    "lacks": ["networks: none"],
}


def test_a_world_counts_while_its_holder_holds_the_lock(tmp_path: Path) -> None:
    folder = world.open_folder(Places("", str(tmp_path / "run"), ""))
    folder.write(_WORLD)

    assert folder.read() is None
    held = lock.wait_lock(folder.holder)
    try:
        assert folder.read() == _WORLD
    finally:
        os.close(held)
    assert folder.read() is None


def test_nobody_else_may_look_into_the_folder(tmp_path: Path) -> None:
    world.open_folder(Places("", str(tmp_path / "run"), ""))

    assert (tmp_path / "run/rootless").stat().st_mode & 0o777 == 0o700


def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's folder")
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", 1234, 1234)

    with pytest.raises(Forbidden, match="belongs to another user"):
        world.open_folder(Places("", str(tmp_path / "run"), ""))
