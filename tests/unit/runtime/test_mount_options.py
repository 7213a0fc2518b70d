from __future__ import annotations

from wharf.kernel.mount import MountAttr, MountFlag
from wharf.runtime import mount_options


def test_a_tree_that_is_moved_is_bound_whole() -> None:
    options = mount_options.parse(["move"])

    assert (options.bind, options.recursive, options.data) == (True, True, [])


def test_a_later_option_wins() -> None:
    options = mount_options.parse(["ro", "nosuid", "rw", "noatime", "strictatime"])

    assert options.set == MountAttr.NOSUID | MountAttr.STRICTATIME
    assert options.clear == MountAttr.RDONLY | MountAttr.ATIME


def test_recursive_flags_are_kept_apart() -> None:
    options = mount_options.parse(["rbind", "rro", "nosuid"])

    assert (options.bind, options.recursive, options.set_below, options.set) == (True, True, 1, 2)


def test_propagation_is_kept_in_order() -> None:
    assert mount_options.parse(["rslave", "shared"]).propagation == [
        (MountFlag.SLAVE, True),
        (MountFlag.SHARED, False),
    ]


def test_what_is_unknown_is_the_filesystems_to_judge() -> None:
    assert mount_options.parse(["mode=755", "newinstance", "sync"]).data == [("mode", "755"), ("newinstance", "")]
