from __future__ import annotations

import pytest

from wharf.engine.containers.mount_request import Wanted, from_mount, parse_bind, wanted
from wharf.errors import InvalidArgument, NotImplementedHere


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/srv:/data", Wanted("bind", "/srv", "/data", propagation="rprivate", must_exist=False)),
        ("/srv/:/data/../d:ro", Wanted("bind", "/srv", "/d", "ro", True, "rprivate", must_exist=False)),
        ("/srv:/data:rslave,z", Wanted("bind", "/srv", "/data", "rslave,z", False, "rslave", must_exist=False)),
        ("named:/data:nocopy", Wanted("volume", "named", "/data", "nocopy", copy=False)),
        ("/data", Wanted("volume", "", "/data")),
    ],
)
def test_a_bind_is_read_as_docker_reads_it(text: str, mount: Wanted) -> None:
    assert parse_bind(text) == mount


@pytest.mark.parametrize("text", ["", ":/x", "/a:", "a:b:c:d", "/a:relative", "/a:/", "/a:/b:sometimes", "./here:/x"])
def test_a_malformed_bind_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_bind(text)


def test_two_mounts_of_one_target_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="Duplicate mount point: /x"):
        wanted({}, {"Binds": ["/a:/x", "/b:/x/"]})


def test_an_images_volume_yields_to_what_was_asked_for() -> None:
    mounts = wanted(
        {"Volumes": {"/data": {}, "/more": {}, "/tmp/x": {}}}, {"Binds": ["/a:/data"], "Tmpfs": {"/tmp/x": ""}}
    )

    assert [(m.type, m.target) for m in mounts] == [("bind", "/data"), ("volume", "/more")]


def test_a_mount_option_that_is_not_built_yet_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedHere, match=r"VolumeOptions\.Subpath"):
        from_mount({"Type": "volume", "Source": "v", "Target": "/x", "VolumeOptions": {"Subpath": "a"}})


def test_a_tmpfs_mount_carries_size_and_mode() -> None:
    mount = from_mount({"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 1024, "Mode": 0o700}})

    assert mount.options == ("size=1024", "mode=700")
