from __future__ import annotations

from wharf.rootless import delegation
from wharf.rootless.delegation import Delegated

_HYBRID = """\
20 1 8:1 / / rw - ext4 /dev/sda rw
30 20 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""
_PURE = "30 20 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


def test_only_groups_that_the_user_may_fill_are_delegated() -> None:
    membership = "4:memory:/ana\n3:cpu,cpuacct:/\n0::/\n"
    mine = {"/sys/fs/cgroup/memory/ana"}

    assert delegation.plan(_HYBRID, membership, mine.__contains__) == [
        Delegated("/sys/fs/cgroup/memory/ana", ("memory",))
    ]


def test_the_unified_group_is_found_where_it_is_mounted() -> None:
    found = delegation.plan(_PURE, "0::/user.slice/ana.scope\n", lambda _: True)

    assert delegation.unified(found) == "/sys/fs/cgroup/user.slice/ana.scope"


def test_a_hierarchy_that_is_not_mounted_is_nobodys() -> None:
    assert delegation.plan(_PURE, "4:memory:/ana\n", lambda _: True) == []


def test_a_group_outside_of_the_callers_namespace_is_not_followed() -> None:
    assert delegation.plan(_PURE, "0::/../other\n", lambda _: True) == []


def test_without_a_unified_group_there_is_no_leaf() -> None:
    assert delegation.unified([Delegated("/sys/fs/cgroup/memory/ana", ("memory",))]) == ""
