"""A container's own control group on v2 alone: in the machine of ``make vm``; not where there are v1 controllers."""

from __future__ import annotations

import json

import pytest
from tests.root.runtime.test_command import Command, command

from wharf.kernel.cgroup.hierarchy import read_hierarchies

__all__ = ["command"]  # the fixture

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(read_hierarchies().v1), reason="this machine has v1 controllers"),
]
_TRY = """
tried() { if eval "$2" 2>/dev/null; then echo "$1 yes"; else echo "$1 no"; fi; }
tried divided "mkdir /sys/fs/cgroup/mine"
tried limited "echo 10 >/sys/fs/cgroup/pids.max"
"""


@pytest.mark.parametrize(("options", "divided"), [(["nosuid"], True), (["ro"], False)])
def test_its_user_may_divide_it_where_it_is_writable(command: Command, options: list[str], *, divided: bool) -> None:
    command.write(["sh", "-c", _TRY], user={"uid": 1000, "gid": 1000})
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec.setdefault("mounts", []).append(
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options}
    )
    path.write_text(json.dumps(spec))

    said = command.create("c1", verb="run").stderr.splitlines()

    assert said[-2:] == [f"divided {'yes' if divided else 'no'}", "limited no"]
