from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root import groups

from wharf.kernel.cgroup.group import Cgroup, open_cgroup
from wharf.kernel.cgroup.hierarchy import read_hierarchies

pytestmark = pytest.mark.root

_MIB = 1 << 20


@pytest.fixture
def group() -> Iterator[Cgroup]:
    group = open_cgroup(f"{groups.PARENT}/g/c")
    group.create()
    yield group
    group.kill_all()
    group.delete()
    open_cgroup(f"{groups.PARENT}/g").delete()


@pytest.fixture
def sleeper(group: Cgroup) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        group.add(process.pid)
        yield process
        process.kill()


def test_creating_and_deleting_twice_is_the_same_as_once(group: Cgroup) -> None:
    group.create()
    assert group.exists
    group.delete()
    group.delete()
    assert not group.exists


def test_limits_can_be_raised_and_lowered_together(group: Cgroup) -> None:
    for limit in (64, 16, 256):
        group.apply(
            {
                "memory": {"limit": limit * _MIB, "swap": 2 * limit * _MIB},
                "cpu": {"shares": 512, "period": 100000, "quota": limit * 1000, "burst": limit * 500},
                "pids": {"limit": limit},
            }
        )

        found = group.stats()
        assert (found["memory"]["limit_bytes"], found["pids"]["limit"]) == (limit * _MIB, limit)


def test_huge_pages_are_limited_in_use_and_reserved(group: Cgroup) -> None:
    if "2MB" not in group.details()["hugetlb"]:
        pytest.skip("this machine has no huge pages of 2 MB")
    found = read_hierarchies()
    if "hugetlb" not in {*found.v1, *found.v2_controllers}:
        pytest.skip("no hierarchy has the controller hugetlb")

    group.apply({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * _MIB}]})

    assert group.details()["hugetlb"]["2MB"] == {"usage": 0, "max": 0, "limit": 4 * _MIB, "fail_count": 0}
    folder = Path((found.v1.get("hugetlb") or found.v2 or "") + group.path)
    limits = [*folder.glob("hugetlb.2MB.*max"), *folder.glob("hugetlb.2MB.*limit_in_bytes")]
    assert {int(file.read_text()) for file in limits} == {4 * _MIB}
    assert len(limits) == 2


def test_a_refused_value_names_the_file_and_the_value(group: Cgroup) -> None:
    with pytest.raises(OSError, match=r"'nonsense'.*cpuset\.cpus") as caught:
        group.apply({"cpu": {"cpus": "nonsense"}})

    assert caught.value.errno == errno.EINVAL


def test_a_process_enters_by_itself_through_open_doors(group: Cgroup) -> None:
    entry = group.open_entry()
    (inside, entered), (ready, go) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        entry.enter_v1()
        os.write(entered, b"x")
        os.read(ready, 1)
        os._exit(0)
    entry.close()
    os.close(entered)
    try:
        assert os.read(inside, 1) == b"x"
        assert entry.v2 == -1 or group.procs() == [pid]
    finally:
        os.write(go, b"x")
        os.waitpid(pid, 0)
        for fd in (inside, ready, go):
            os.close(fd)


def test_a_frozen_group_says_so_and_can_still_be_killed(group: Cgroup, sleeper: subprocess.Popen[bytes]) -> None:
    group.freeze()
    assert group.frozen()
    assert group.kill_all()
    assert sleeper.wait(60) == -9
    group.delete()
    assert not group.exists


def test_deleting_a_group_in_use_says_busy(
    group: Cgroup, sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wharf.kernel.cgroup.group._DELETE_TIMEOUT_S", 0.01)

    with pytest.raises(OSError, match="busy") as caught:
        group.delete()

    assert caught.value.errno == errno.EBUSY


def test_groups_made_inside_are_removed_with_it(group: Cgroup) -> None:
    inner = open_cgroup(group.path + "/inner/most")
    inner.create()
    group.delete()
    assert not inner.exists


@pytest.mark.skipif("devices" not in read_hierarchies().v1, reason="v2 has a program: test_devices.py")
def test_device_rules_hold_for_the_processes_inside(group: Cgroup) -> None:
    group.apply(
        {"devices": [{"allow": False}, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]}
    )
    listed = Path(read_hierarchies().v1["devices"] + group.path, "devices.list").read_text()
    assert listed == "c 1:3 rwm\n"


def test_an_oom_kill_is_counted(group: Cgroup) -> None:
    group.apply({"memory": {"limit": 8 * _MIB, "swap": 8 * _MIB}})
    pid = os.fork()
    if pid == 0:
        group.add(0)
        hog = bytearray(64 * _MIB)
        os._exit(len(hog) & 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    assert group.oom_kill_count() == 1
