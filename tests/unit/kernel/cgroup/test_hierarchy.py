from __future__ import annotations

from wharf.kernel.cgroup.hierarchy import Hierarchies, parse_mountinfo

_HYBRID = """\
20 1 8:1 / / rw - ext4 /dev/sda rw
30 20 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def test_co_mounted_controllers_share_a_mount_point() -> None:
    assert parse_mountinfo(_HYBRID) == (
        {
            "memory": "/sys/fs/cgroup/memory",
            "cpu": "/sys/fs/cgroup/cpu,cpuacct",
            "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
        },
        "/sys/fs/cgroup/unified",
    )


def test_what_lies_below_another_mount_cannot_be_reached() -> None:
    over = "40 30 0:50 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"

    assert parse_mountinfo(_HYBRID + over) == ({}, None)


def test_what_is_mounted_on_the_mount_that_hides_counts() -> None:
    over = "40 30 0:50 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    own = "41 40 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

    assert parse_mountinfo(_HYBRID + over + own) == ({"memory": "/sys/fs/cgroup/memory"}, None)


def test_a_group_above_the_callers_namespace_is_not_its_own() -> None:
    assert parse_mountinfo("31 30 0:29 /.. /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n") == ({}, None)


def test_a_mount_point_may_have_spaces() -> None:
    assert parse_mountinfo("33 30 0:31 / /mnt/a\\040b rw - cgroup2 cgroup2 rw\n") == ({}, "/mnt/a b")


def test_controllers_have_the_names_of_v1() -> None:
    unified = Hierarchies({}, "/sys/fs/cgroup", frozenset({"io", "cpu", "memory"}))

    assert unified.controllers == {"blkio", "cpu", "memory", "freezer"}
    assert Hierarchies({"pids": "/p"}, None, frozenset()).controllers == {"pids"}
