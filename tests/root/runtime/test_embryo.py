"""Containers out of a process that was there before: they must be just what a process cloned for them would be."""

from __future__ import annotations

import json
import os
import re
import select
from collections.abc import Iterator
from typing import Any

import pytest
from tests.root import groups
from tests.root.runtime.conftest import PTS, SAFE, Bundle, Outcome, reap

from wharf.kernel import memfd
from wharf.kernel.cgroup.group import Cgroup, open_cgroup
from wharf.processes.opening import Opened, open_groups, open_world, suits
from wharf.runtime import container
from wharf.runtime.embryo import Embryo
from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root

_DEV = {
    "destination": "/dev",
    "type": "tmpfs",
    "source": "tmpfs",
    "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
}
_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": SAFE},
    _DEV,
    PTS,
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*SAFE, "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", *SAFE]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": SAFE},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*SAFE, "mode=1777", "size=65536k"]},
]
_LOOK = "cat /proc/self/mountinfo; ls -lR /dev | grep -v ^total; stat -c %F /proc/keys; ls /sys/firmware /proc/acpi"


@pytest.fixture
def cgroup() -> Iterator[Cgroup]:
    group = open_cgroup(f"{groups.PARENT}/embryo")
    group.create()
    if not group.lets_enter({}):
        group.delete()
        pytest.skip("entering a control group is dear here: embryos are not used")
    yield group
    group.delete()


def _usual(bundle: Bundle, args: list[str]) -> Any:
    spec = bundle.spec(args)
    spec["mounts"] = list(_MOUNTS)
    spec["linux"] = {
        "namespaces": [{"type": kind} for kind in ("mount", "pid", "uts", "ipc", "network")],
        "maskedPaths": ["/proc/acpi", "/proc/keys", "/sys/firmware"],
        "readonlyPaths": ["/proc/sys", "/proc/bus"],
        "sysctl": {},
    }
    return spec


def _conceived(bundle: Bundle) -> Embryo:
    return container.expect(_usual(bundle, ["true"]), str(bundle.path / "seccomp")).conceive()


def _grown(bundle: Bundle, spec: Any, cgroup: Cgroup) -> Outcome:
    embryo = _conceived(bundle)
    reader, writer = os.pipe()
    null = os.open("/dev/null", os.O_RDONLY)
    config = memfd.sealed(json.dumps(spec).encode(), "config.json")
    try:
        assert suits(spec, bundle.rootfs, None, cgroup)
        embryo.give_document(str(bundle.path), config)
        with Opened() as opened:
            world = open_world(opened, spec, str(bundle.path), bundle.rootfs)
            embryo.give_world((null, writer, writer), world, opened.fds)
        with Opened() as opened:
            started = embryo.bring_up(open_groups(opened, spec, cgroup), opened.fds)
    except BaseException:
        os.close(reader)
        embryo.discard()
        raise
    finally:
        for fd in (writer, null, config):
            os.close(fd)
    with os.fdopen(reader, encoding="utf-8") as file:
        output = file.read()
    code = reap(started)
    started.let_mounts_go()
    started.let_mounts_go()
    return Outcome(code, output)


def _cloned(bundle: Bundle, spec: Any, cgroup: Cgroup) -> Outcome:
    return bundle.run(spec, cgroup=cgroup)


def _as_a_set(outcome: Outcome) -> set[str]:
    """The lines, without the numbers that every mount and every moment has of its own."""
    text = re.sub(r"^\d+ \d+ \d+:\d+|,uuid=on$", "", outcome.output, flags=re.M)
    return {re.sub(r"\b[A-Z][a-z]{2} +\d+ +[\d:]+", "", line) for line in text.splitlines()}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"maskedPaths": [], "readonlyPaths": []},
        {"maskedPaths": ["/proc/keys"]},
        {"namespaces": [{"type": kind} for kind in ("mount", "pid", "uts")]},
        {"devices": [{"path": "/dev/more", "type": "c", "major": 1, "minor": 3}]},
    ],
)
def test_a_container_sees_what_one_that_was_cloned_for_it_sees(
    bundle: Bundle, cgroup: Cgroup, change: dict[str, Any]
) -> None:
    spec = _usual(bundle, ["sh", "-c", _LOOK])
    spec["linux"].update(change)

    assert _as_a_set(_grown(bundle, spec, cgroup)) == _as_a_set(_cloned(bundle, spec, cgroup))


def test_a_mount_inside_a_prepared_tree_is_made_before_it_is_masked(bundle: Bundle, cgroup: Cgroup) -> None:
    (bundle.path / "mine").mkdir()
    (bundle.path / "mine/file").touch()
    spec = _usual(bundle, ["ls", "/sys/firmware"])
    spec["mounts"].append(
        {"destination": "/sys/firmware", "type": "bind", "source": "mine", "options": ["bind", "rprivate"]}
    )

    assert _grown(bundle, spec, cgroup) == Outcome(0, "")


def test_it_is_in_its_control_group_and_is_its_own_first_process(bundle: Bundle, cgroup: Cgroup) -> None:
    spec = _usual(bundle, ["sh", "-c", "echo $$; cat /proc/self/cgroup"])

    pid, *groups = _grown(bundle, spec, cgroup).output.splitlines()

    assert pid == "1"
    assert all(line.endswith(cgroup.path) for line in groups if not line.startswith("0::"))


def test_it_holds_nothing_of_the_hosts(bundle: Bundle, cgroup: Cgroup) -> None:
    outcome = _grown(bundle, _usual(bundle, ["sh", "-c", "ls /proc/self/fd; ls /; wc -l < /proc/mounts"]), cgroup)

    assert outcome.output.split()[:3] == ["0", "1", "2"]
    assert str(bundle.path) not in outcome.output


def test_a_sysctl_is_set_although_proc_is_read_only_already(bundle: Bundle, cgroup: Cgroup) -> None:
    spec = _usual(bundle, ["cat", "/proc/sys/net/ipv4/ip_forward"])
    spec["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}

    assert _grown(bundle, spec, cgroup) == Outcome(0, "1\n")


def test_what_keeps_a_program_from_running_is_told_as_ever(bundle: Bundle, cgroup: Cgroup) -> None:
    with pytest.raises(StartFailed, match="executable file not found") as caught:
        _grown(bundle, _usual(bundle, ["nothing"]), cgroup)

    assert caught.value.kind == "not-found"


def test_what_fails_before_the_control_group_is_there_is_told_in_its_own_words(
    bundle: Bundle, cgroup: Cgroup
) -> None:
    spec = _usual(bundle, ["true"])
    spec["mounts"] = [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["size=nonsense"]}]
    embryo = _conceived(bundle)
    config = memfd.sealed(json.dumps(spec).encode(), "config.json")
    embryo.give_document(str(bundle.path), config)
    os.close(config)
    with Opened() as opened:
        embryo.give_world((0, 1, 2), open_world(opened, spec, str(bundle.path), bundle.rootfs), opened.fds)
    select.select([embryo._pidfd], [], [])  # it has ended

    with Opened() as opened, pytest.raises(StartFailed, match='error mounting "tmpfs" to rootfs at "/data"'):
        embryo.bring_up(open_groups(opened, spec, cgroup), opened.fds)


def test_one_that_is_not_wanted_leaves_nothing(bundle: Bundle) -> None:
    embryo = _conceived(bundle)

    embryo.discard()
    embryo.discard()
