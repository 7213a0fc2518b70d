"""Programs are of v2, whatever controllers it has: the empty unified tree of a hybrid machine will do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wharf.kernel.cgroup.devices import restrict
from wharf.kernel.cgroup.hierarchy import read_hierarchies


@pytest.fixture
def group() -> Iterator[Path]:
    v2 = read_hierarchies().v2
    if v2 is None:
        pytest.skip("no cgroup v2 is mounted")
    folder = Path(v2, f"wharf-test-{os.getpid()}")
    folder.mkdir()
    yield folder
    folder.rmdir()


def _in(group: Path, script: str) -> str:
    """Run a script of the shell in the group; return what it says."""
    line = ["sh", "-c", f"echo $$ > {group}/cgroup.procs && {script}"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


_ALLOW_NULL: list[dict[str, Any]] = [
    {"allow": False, "access": "rwm"},
    {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rw"},
]


def test_what_is_not_allowed_cannot_be_opened_or_made(group: Path, tmp_path: Path) -> None:
    restrict(str(group), _ALLOW_NULL)

    assert _in(group, "echo x > /dev/null && echo wrote") == "wrote\n"
    assert "Operation not permitted" in _in(group, "cat < /dev/zero")
    assert "Operation not permitted" in _in(group, f"mknod {tmp_path}/null c 1 3")


def test_new_rules_replace_the_old_ones(group: Path) -> None:
    restrict(str(group), _ALLOW_NULL)
    restrict(str(group), [*_ALLOW_NULL, {"allow": True, "type": "c", "major": 1, "minor": 5, "access": "r"}])

    assert _in(group, "head -c 1 /dev/zero > /dev/null && echo read") == "read\n"
    restrict(str(group), [{"allow": False}])
    assert "Operation not permitted" in _in(group, "echo x > /dev/null")


def test_programs_of_others_count_too(group: Path) -> None:
    restrict(str(group), [{"allow": False}])
    inner = group / "inner"
    inner.mkdir()
    try:
        restrict(str(inner), [{"allow": True}])

        assert "Operation not permitted" in _in(inner, "echo x > /dev/null")
    finally:
        inner.rmdir()


def test_a_group_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="device program"):
        restrict(str(tmp_path), [{"allow": False}])
