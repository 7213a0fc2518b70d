from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.commands import execute
from wharf.runtime.state import Folder

PROCESS = {"args": ["sleep"], "cwd": "/srv", "env": ["A=1"], "user": {"uid": 7, "gid": 8}, "terminal": True}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "c1").mkdir()
    (tmp_path / "c1/config.json").write_text(json.dumps({"process": PROCESS}))
    return Folder(str(tmp_path), "c1")


def test_a_process_is_the_containers_own_but_for_the_options(folder: Folder) -> None:
    given: Any = {
        "--env": ["B=2"],
        "--additional-gids": ["9"],
        "--cap": ["CAP_KILL"],
        "--no-new-privs": True,
        "--apparmor": "p",
        "--process-label": "l",
    }

    process = execute._composed(folder, given, ["ls"])

    assert process == {
        "args": ["ls"],
        "cwd": "/srv",
        "env": ["A=1", "B=2"],
        "terminal": False,
        "user": {"uid": 7, "gid": 8, "additionalGids": [9]},
        "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
        "noNewPrivileges": True,
        "apparmorProfile": "p",
        "selinuxLabel": "l",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [({"--user": "bob"}, "invalid user bob"), ({"--additional-gids": ["x"]}, "invalid group")],
)
def test_who_is_not_a_number_is_refused(folder: Folder, given: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        execute._composed(folder, given, ["ls"])


def test_groups_are_for_all_controllers_or_for_single_ones() -> None:
    assert execute._cgroup([]) == {}
    assert execute._cgroup(["sub"]) == {"": "sub"}
    assert execute._cgroup(["cpu,memory:a", "pids:b", "/"]) == {"cpu": "a", "memory": "a", "pids": "b", "": "/"}


@pytest.mark.parametrize("words", [["a", "b"], ["cpu:a", "cpu:b"], [":a"], ["cpu,:a"], ["../a"]])
def test_groups_that_cannot_be_meant_are_refused(words: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="invalid --cgroup"):
        execute._cgroup(words)
