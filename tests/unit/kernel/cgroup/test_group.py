from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from wharf.kernel.cgroup.group import Cgroup, open_cgroup
from wharf.kernel.cgroup.hierarchy import Hierarchies, parse_mountinfo

_HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:4 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw,nsdelegate
42 31 0:38 / /elsewhere rw - cgroup2 cgroup2 rw
"""


def test_mountinfo_gives_each_controller_its_mount_point() -> None:
    assert parse_mountinfo(_HYBRID) == (
        {
            "cpu": "/sys/fs/cgroup/cpu,cpuacct",
            "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
            "name=systemd": "/sys/fs/cgroup/systemd",
        },
        "/sys/fs/cgroup/uni fied",
    )


def _v1(tmp_path: Path, files: dict[str, str]) -> Hierarchies:
    """Lay a v1 hierarchy of plain files with the group /w/c in it."""
    for file, text in files.items():
        folder = tmp_path / file.partition(".")[0] / "w" / "c"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)
    return Hierarchies(
        {file.partition(".")[0]: str(tmp_path / file.partition(".")[0]) for file in files}, None, frozenset()
    )


@pytest.mark.parametrize("path", ["", "/", "a/b", "/a/../b", "/a//b", "/a/"])
def test_a_path_that_is_not_plainly_below_the_root_is_refused(path: str) -> None:
    with pytest.raises(OSError, match="not an absolute path") as caught:
        open_cgroup(path, Hierarchies({}, None, frozenset()))

    assert caught.value.errno == errno.EINVAL


def test_a_limit_without_its_controller_is_refused_by_name(tmp_path: Path) -> None:
    group = open_cgroup("/w/c", _v1(tmp_path, {"pids.max": "max"}))

    with pytest.raises(OSError, match="no control group controller net_cls") as caught:
        group.apply({"network": {"classID": 7}})

    assert caught.value.errno == errno.EOPNOTSUPP


def test_a_group_that_goes_while_it_freezes_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = open_cgroup("/w/c", _v1(tmp_path, {"freezer.state": "THAWED"}))

    def freezing(self: Cgroup) -> bool:
        shutil.rmtree(tmp_path / "freezer" / "w" / "c", ignore_errors=True)
        return False

    monkeypatch.setattr(Cgroup, "frozen", freezing)

    with pytest.raises(FileNotFoundError, match="the group has gone"):
        group.freeze()


def test_limits_go_into_the_files_of_their_controllers(tmp_path: Path) -> None:
    group = open_cgroup("/w/c", _v1(tmp_path, {"pids.max": "max", "memory.limit_in_bytes": "0"}))

    group.apply({"pids": {"limit": 5}, "memory": {"limit": 4096}})

    assert (tmp_path / "pids/w/c/pids.max").read_text() == "5"
    assert (tmp_path / "memory/w/c/memory.limit_in_bytes").read_text() == "4096"


def test_a_limit_below_the_use_is_refused_when_asked_to_check(tmp_path: Path) -> None:
    group = open_cgroup("/w/c", _v1(tmp_path, {"memory.limit_in_bytes": "9000", "memory.usage_in_bytes": "5000\n"}))

    with pytest.raises(OSError, match="above the new limit 4096"):
        group.apply({"memory": {"limit": 4096, "checkBeforeUpdate": True}})


def test_v1_files_become_one_document(tmp_path: Path) -> None:
    group = open_cgroup(
        "/w/c",
        _v1(
            tmp_path,
            {
                "cpuacct.usage": "1234\n",
                "cpuacct.usage_user": "1000\n",
                "cpuacct.usage_sys": "234\n",
                "cpuacct.usage_percpu": "1000 234 \n",
                "cpu.stat": "nr_periods 4\nnr_throttled 2\nthrottled_time 77\n",
                "memory.usage_in_bytes": "5\n",
                "memory.max_usage_in_bytes": "9\n",
                "memory.failcnt": "1\n",
                "memory.limit_in_bytes": "9223372036854771712\n",
                "memory.oom_control": "oom_kill_disable 0\noom_kill 3\n",
                "memory.stat": "cache 1\nrss 2\n",
                "pids.current": "2\n",
                "pids.max": "max\n",
                "blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Total 10\nTotal 10\n",
            },
        ),
    )

    assert group.stats() == {
        "cpu": {
            "usage_ns": 1234,
            "user_ns": 1000,
            "system_ns": 234,
            "percpu_ns": [1000, 234],
            "periods": 4,
            "throttled_periods": 2,
            "throttled_ns": 77,
        },
        "memory": {
            "usage_bytes": 5,
            "max_usage_bytes": 9,
            "limit_bytes": None,
            "fail_count": 1,
            "oom_kills": 3,
            "stat": {"cache": 1, "rss": 2},
        },
        "pids": {"current": 2, "limit": None},
        "blkio": {
            "service_bytes": [
                {"major": 8, "minor": 0, "op": "Read", "value": 10},
                {"major": 8, "minor": 0, "op": "Total", "value": 10},
            ],
            "serviced": [],
        },
        "pressure": {},
    }
    assert group.oom_kill_count() == 3


def test_v2_files_become_the_same_document(tmp_path: Path) -> None:
    folder = tmp_path / "w" / "c"
    folder.mkdir(parents=True)
    for file, text in {
        "cpu.stat": "usage_usec 10\nuser_usec 7\nsystem_usec 3\nnr_periods 4\nnr_throttled 2\nthrottled_usec 5\n",
        "memory.current": "5\n",
        "memory.peak": "9\n",
        "memory.max": "4096\n",
        "memory.events": "low 0\nmax 6\noom_kill 1\n",
        "memory.stat": "anon 2\n",
        "pids.current": "1\n",
        "pids.max": "7\n",
        "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4\n",
    }.items():
        (folder / file).write_text(text)
    offered = frozenset({"cpu", "memory", "pids", "io"})

    assert open_cgroup("/w/c", Hierarchies({}, str(tmp_path), offered)).stats() == {
        "cpu": {
            "usage_ns": 10000,
            "user_ns": 7000,
            "system_ns": 3000,
            "percpu_ns": [],
            "periods": 4,
            "throttled_periods": 2,
            "throttled_ns": 5000,
        },
        "memory": {
            "usage_bytes": 5,
            "max_usage_bytes": 9,
            "limit_bytes": 4096,
            "fail_count": 6,
            "oom_kills": 1,
            "stat": {"anon": 2},
        },
        "pids": {"current": 1, "limit": 7},
        "blkio": {
            "service_bytes": [
                {"major": 8, "minor": 0, "op": "Read", "value": 1},
                {"major": 8, "minor": 0, "op": "Write", "value": 2},
            ],
            "serviced": [
                {"major": 8, "minor": 0, "op": "Read", "value": 3},
                {"major": 8, "minor": 0, "op": "Write", "value": 4},
            ],
        },
        "pressure": {},
    }
