"""Which mounts are changed, and to what, where mount_setattr(2) is missing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wharf.kernel import remount
from wharf.kernel.mount import Change, MountAttr, MountFlag

_MOUNTINFO = """\
20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
31 20 0:30 / /data rw,nosuid,noatime shared:2 - tmpfs tmpfs rw
32 31 0:31 / /data/a\\040b ro,nodev - tmpfs tmpfs rw
33 32 0:32 / /data/a\\040b/c rw,noexec,relatime - tmpfs tmpfs rw
34 20 0:33 / /other rw - tmpfs tmpfs rw
"""
_RELATIME = MountFlag.RELATIME
_ACCESS = MountAttr.ATIME


def test_a_tree_is_the_mount_and_all_that_lies_on_it() -> None:
    found = [(place.id, place.path) for place in remount.tree(_MOUNTINFO, 31)]

    assert found == [(31, "/data"), (32, "/data/a b"), (33, "/data/a b/c")]


def test_a_mount_without_a_place_has_no_tree() -> None:
    assert remount.tree(_MOUNTINFO, 99) == []


def test_what_a_mount_has_is_kept_but_for_what_is_cleared() -> None:
    outer, middle, inner = remount.tree(_MOUNTINFO, 31)
    read_only = Change(MountAttr.RDONLY)

    assert remount.flags(outer.attributes, read_only) == MountFlag.RDONLY | MountFlag.NOSUID | MountFlag.NOATIME
    assert remount.flags(middle.attributes, Change(clear=MountAttr.RDONLY)) == MountFlag.NODEV | MountFlag.STRICTATIME
    assert remount.flags(inner.attributes, Change()) == MountFlag.NOEXEC | _RELATIME


@pytest.mark.parametrize(
    ("mode", "flag"),
    [
        (MountAttr.RELATIME, _RELATIME),
        (MountAttr.NOATIME, MountFlag.NOATIME),
        (MountAttr.STRICTATIME, MountFlag.STRICTATIME),
    ],
)
def test_the_way_to_keep_access_times_is_one_of_three(mode: int, flag: int) -> None:
    assert remount.flags(MountAttr.NOATIME, Change(mode, _ACCESS)) == flag


class _Kernel:
    """A kernel surface: what is asked of mount(2), on mounts by their descriptors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ids: dict[int, int], paths: dict[str, int]) -> None:
        self.asked: list[tuple[str, int]] = []
        monkeypatch.setattr(
            remount, "mount", lambda _source, target, _type, flags: self.asked.append((target, flags))
        )
        monkeypatch.setattr(remount, "_mount_id", lambda fd: ids[fd])
        monkeypatch.setattr(remount, "_mountinfo", lambda: _MOUNTINFO)
        monkeypatch.setattr(remount, "openat2", lambda _fd, path, _flags, resolve: paths[path])
        monkeypatch.setattr(remount, "os", SimpleNamespace(close=lambda _fd: None, O_PATH=0))


def test_each_mount_below_is_changed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _Kernel(monkeypatch, {3: 31, 4: 32, 5: 33}, {"/data/a b": 4, "/data/a b/c": 5})
    change = MountFlag.REMOUNT | MountFlag.BIND | MountFlag.RDONLY

    remount.change(3, Change(MountAttr.RDONLY, propagation=MountFlag.PRIVATE, recursive=True))

    assert kernel.asked == [
        ("/proc/self/fd/3", MountFlag.PRIVATE | MountFlag.REC),
        ("/proc/self/fd/3", change | MountFlag.NOSUID | MountFlag.NOATIME),
        ("/proc/self/fd/4", change | MountFlag.NODEV | MountFlag.STRICTATIME),
        ("/proc/self/fd/5", change | MountFlag.NOEXEC | MountFlag.RELATIME),
    ]


def test_a_mount_that_is_elsewhere_by_now_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _Kernel(monkeypatch, {3: 31, 4: 20}, {"/data/a b": 4})

    with pytest.raises(OSError, match="another mount is there by now"):
        remount.change(3, Change(MountAttr.RDONLY, recursive=True))

    assert len(kernel.asked) == 1
