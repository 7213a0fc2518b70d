"""A group of v2 given to a user, on the kernel's own v2 tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.kernel.cgroup.delegation import delegate
from wharf.kernel.cgroup.hierarchy import read_hierarchies

_USER = 4242


@pytest.fixture
def group() -> Iterator[Path]:
    root = read_hierarchies().v2
    if root is None:
        pytest.skip("no cgroup v2 is mounted")
    folder = Path(root) / f"wharf-test-{os.getpid()}"
    folder.mkdir()
    yield folder
    folder.rmdir()


def _owned(folder: Path) -> set[str]:
    return {path.name for path in (folder, *folder.iterdir()) if path.stat().st_uid == _USER}


def test_the_user_may_divide_the_group_but_not_change_its_limits(group: Path) -> None:
    delegate(str(group), _USER)

    owned = _owned(group)
    assert {group.name, "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"} <= owned
    assert owned.isdisjoint({"cgroup.freeze", "cgroup.kill", "cgroup.max.depth"})


def test_a_kernel_that_does_not_say_which_files_gets_the_usual_ones(group: Path) -> None:
    delegate(str(group), _USER, listed="/nonexistent")

    assert _owned(group) == {group.name, "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}


def test_a_group_of_v1_stays_the_hosts(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").touch()
    delegate(str(tmp_path), _USER)

    assert _owned(tmp_path) == set()
