from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.kernel.mount import MountFlag
from wharf.volumes.options import LocalMount, local_mount, size_limit


def test_plain_volume_mounts_nothing() -> None:
    assert local_mount({}) is None
    assert local_mount({"size": "1m"}) is None


def test_options_are_taken_apart_into_flags_and_what_is_the_filesystems() -> None:
    found = local_mount({"type": "tmpfs", "device": "tmpfs", "o": "size=1m,ro,nosuid,rw,uid=7"})

    assert found == LocalMount("tmpfs", "tmpfs", int(MountFlag.NOSUID), "size=1m,uid=7")


def test_a_mount_is_told_as_docker_tells_it() -> None:
    bind = local_mount({"type": "none", "device": "/x", "o": "bind"})

    assert str(bind).format("/v") == "mount /x:/v, flags: 0x1000"
    assert str(LocalMount(":/x", "nfs", 0, "addr=1.2.3.4")).format("/v") == "mount :/x:/v, data: addr=1.2.3.4"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"colour": "red"}, 'invalid option: "colour"'),
        ({"type": "tmpfs"}, 'missing required option: "device"'),
        ({"device": "tmpfs"}, 'missing required option: "type"'),
        ({"o": "ro"}, 'missing required option: "device"'),
        ({"type": "none", "device": "/x", "o": "bind,remount"}, '"remount" is not for the mount of a volume'),
    ],
)
def test_contradictions_are_refused(options: dict[str, str], fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault):
        local_mount(options)


def test_size_is_read_or_refused() -> None:
    assert (size_limit({}), size_limit({"size": "2m"})) == (0, 2 << 20)
    with pytest.raises(InvalidArgument, match="a filesystem that is mounted has its own"):
        size_limit({"size": "2m", "type": "tmpfs", "device": "tmpfs"})
    with pytest.raises(InvalidArgument, match="invalid size: 'xx'"):
        size_limit({"size": "xx"})
