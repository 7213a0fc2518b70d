"""Containers in scopes, by a systemd that is a fake and groups that are the kernel's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.systemd import FakeSystemd, serving
from tests.root.runtime.conftest import Bundle

from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.runtime import systemd
from wharf.runtime.systemd import Scope


@pytest.fixture
def slice_() -> Iterator[str]:
    name = f"wharftest{os.getpid()}.slice"
    yield name
    for root in read_hierarchies().roots:
        for folder in sorted(Path(root).glob(f"{name}/**/"), reverse=True):
            folder.rmdir()


def test_the_command_line_runs_a_container_in_a_scope(tmp_path: Path, slice_: str, bundle: Bundle) -> None:
    roots = [Path(root) for root in read_hierarchies().roots if "cpuset" not in root]
    spec = bundle.spec(["cat", "/proc/self/cgroup"])
    spec["root"]["path"] = "lower"
    spec["linux"] |= {"cgroupsPath": f"{slice_}:x:c", "resources": {"pids": {"limit": 9}}}
    spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] != "cgroup"]
    (bundle.path / "config.json").write_text(json.dumps(spec))
    words = ["--root", str(tmp_path / "state"), "--systemd-cgroup", "run", "--bundle", str(bundle.path), "c"]
    fake = FakeSystemd(roots)
    with serving(fake, tmp_path / "bus"):
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from wharf.runtime.cli import main; sys.exit(main())", *words],
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/bus"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert {line.split(":")[2] for line in done.stdout.splitlines()} == {f"/{slice_}/x-c.scope"}
    assert [(name, told["TasksMax"]) for name, told in fake.units] == [("x-c.scope", 9)]


def test_a_scope_lasts_while_a_process_waits_in_it(
    tmp_path: Path, slice_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [Path(root) for root in read_hierarchies().roots if "cpuset" not in root]
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    unit = systemd.unit_of(f"{slice_}:x:c", "c")
    with serving(FakeSystemd(roots), tmp_path / "bus"):
        with Scope(unit, {}) as scope:
            (pid,) = (roots[0] / scope.path.lstrip("/") / "cgroup.procs").read_text().split()

            assert Path(f"/proc/{pid}").exists()
        assert (roots[0] / scope.path.lstrip("/") / "cgroup.procs").read_text() == ""
        assert not Path(f"/proc/{pid}").exists()
