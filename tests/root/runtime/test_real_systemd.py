"""Containers in scopes that systemd itself makes: where it is the first process, as in a machine of ``make vm``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle
from tests.root.runtime.test_command import Command, command
from tests.root.wharfd import until

from wharf.kernel.dbus import CallFailed, Connection, bus_path

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not Path("/run/systemd/system").is_dir(), reason="systemd is not the first process here"),
]
__all__ = ["command"]

_NAME = "org.freedesktop.systemd1"
_PATH = "/org/freedesktop/systemd1"
_SCOPE = "wharftest-c.scope"
_LIMIT = 64 << 20


class Systemd:
    """What its manager says."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def call(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        return self._connection.call(_NAME, _PATH, f"{_NAME}.Manager", member, signature, list(body))

    def knows(self, unit: str) -> bool:
        try:
            self.call("GetUnit", "s", unit)
        except CallFailed as error:
            if error.name != f"{_NAME}.NoSuchUnit":
                raise
            return False
        return True

    def property(self, unit: str, interface: str, name: str) -> Any:
        (path,) = self.call("GetUnit", "s", unit)
        words = [f"{_NAME}.{interface}", name]
        ((_, value),) = self._connection.call(_NAME, path, "org.freedesktop.DBus.Properties", "Get", "ss", words)
        return value


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with Connection(bus_path(os.environ), timeout_s=30) as connection:
        connection.join_bus()
        yield Systemd(connection)


def _write(command: Command, args: list[str]) -> None:
    command.write(args)
    path = command.bundle.path / "config.json"
    spec = json.loads(path.read_text())
    spec["linux"] |= {
        "cgroupsPath": "wharftest.slice:wharftest:c",
        "resources": {"memory": {"limit": _LIMIT}, "pids": {"limit": 9}, "cpu": {"quota": 50000, "period": 100000}},
    }
    spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] != "cgroup"]
    path.write_text(json.dumps(spec))


def _files() -> list[str]:
    folder = Path("/sys/fs/cgroup/wharftest.slice", _SCOPE)
    return [(folder / name).read_text().strip() for name in ("memory.max", "pids.max", "cpu.max")]


def test_a_container_runs_in_its_scope(command: Command) -> None:
    _write(command, ["cat", "/proc/self/cgroup"])

    done = command("--systemd-cgroup", "run", "box")

    assert (done.returncode, done.stdout) == (0, f"0::/wharftest.slice/{_SCOPE}\n"), done.stderr


def test_systemd_knows_the_limits_and_leaves_them_when_it_reads_its_units_anew(
    command: Command, systemd: Systemd
) -> None:
    _write(command, ["sleep", "1000"])
    assert command.create("run", "--detach", "box", verb="--systemd-cgroup").returncode == 0

    known = [systemd.property(_SCOPE, "Scope", name) for name in ("MemoryMax", "TasksMax", "CPUQuotaPerSecUSec")]
    systemd.call("Reload")

    assert known == [_LIMIT, 9, 500_000]
    assert _files() == [str(_LIMIT), "9", "50000 100000"]
    assert systemd.property(_SCOPE, "Unit", "ActiveState") == "active"
    assert command("update", "--pids-limit", "12", "box").returncode == 0
    assert _files()[1] == "12"
    assert command("delete", "--force", "box").returncode == 0
    command.reap()
    until(lambda: not systemd.knows(_SCOPE))  # its job ends a moment after its last process


def test_a_slice_that_is_none_is_refused(command: Command, bundle: Bundle) -> None:
    _write(command, ["true"])
    path = bundle.path / "config.json"
    path.write_text(path.read_text().replace("wharftest.slice:wharftest:c", "no slice:x:y"))

    done = command("--systemd-cgroup", "run", "box")

    assert done.returncode == 1
    assert "slice" in done.stderr
