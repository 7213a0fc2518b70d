from __future__ import annotations

from wharf.runtime.moved_root import outside

MOUNTINFO = """\
20 1 8:1 / / rw - ext4 /dev/sda rw
21 20 0:4 / /proc rw - proc proc rw
22 20 0:5 / /sys rw shared:1 - sysfs sysfs rw
23 22 0:6 / /sys/fs/cgroup rw - tmpfs tmpfs rw
24 20 0:4 / /with\\040space rw - proc proc rw
25 20 8:1 / /bundle/rootfs rw - ext4 /dev/sda rw
26 25 0:7 / /bundle/rootfs/proc rw - proc proc rw
"""


def test_the_hosts_procfs_and_sysfs_are_found_the_last_mounted_first() -> None:
    assert outside(MOUNTINFO, "/bundle/rootfs") == ["/with space", "/sys", "/proc"]
