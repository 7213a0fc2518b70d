from __future__ import annotations

import pytest

from wharf.engine.containers.mount_request import Wanted, from_mount, parse_bind, parse_volumes_from, wanted
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import Mount


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


@pytest.mark.parametrize(
    "text", ["", ":/x", "/a:", "a:b:c:d", "/a:relative", "/a:/", "/a:/b:sometimes", "/a:/b:ro,rw", "./here:/x"]
)
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


def test_an_images_volume_with_a_relative_path_lies_below_the_root() -> None:
    mounts = wanted({"Volumes": {"data": {}, "/data": {}, "./a/../../b": {}}}, {})

    assert [(m.type, m.target) for m in mounts] == [("volume", "/data"), ("volume", "/b")]


@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ({"Type": "volume", "Target": "/x", "VolumeOptions": {"Subpath": "a"}}, "anonymous volumes"),
        ({"Type": "volume", "Source": "v", "Target": "/x", "VolumeOptions": {"Subpath": "../a"}}, "relative path"),
        ({"Type": "image", "Target": "/x"}, "Source must not be empty"),
        ({"Type": "tmpfs", "Target": "/x", "BindOptions": {"NonRecursive": True}}, "BindOptions must not be"),
        ({"Type": "bind", "Source": "/a", "Target": "/x", "VolumeOptions": {}}, "VolumeOptions must not be"),
        ({"Type": "volume", "Source": "v", "Target": "/x", "BindOptions": {}}, "BindOptions must not be"),
        ({"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"Options": [["a,b"]]}}, "invalid option"),
        (
            {"Type": "bind", "Source": "/a", "Target": "/x", "BindOptions": {"ReadOnlyForceRecursive": True}},
            "read-only",
        ),
        ({"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"Options": [["uid", "1"]]}}, "invalid option: uid"),
        ({"Type": "odd", "Target": "/x"}, 'for type "odd": mount type unknown'),
        ({"Type": "cluster", "Target": "/x"}, 'for type "cluster": mount type unknown'),
        ({"Type": "bind", "Source": "/a"}, "field Target must not be empty"),
        ({"Type": "bind", "Target": "/x"}, "field Source must not be empty"),
    ],
)
def test_a_mount_that_contradicts_itself_is_refused(mount: Mount, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        from_mount(mount)


def test_a_volume_may_be_mounted_in_part_and_be_made_by_a_driver() -> None:
    mount = from_mount(
        {
            "Type": "volume",
            "Source": "v",
            "Target": "/x",
            "VolumeOptions": {
                "Subpath": "a/b",
                "DriverConfig": {"Name": "d", "Options": {"k": "v"}},
                "Labels": {"l": ""},
            },
        }
    )

    assert (mount.subpath, mount.driver, mount.driver_options, mount.labels) == (
        "a/b", "d", (("k", "v"),), (("l", ""),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meaning"), [("c", ("c", False)), ("c:ro", ("c", True)), ("c:rw", ("c", False)), ("c:ro,z", ("c", True))]
)
def test_volumes_from(text: str, meaning: tuple[str, bool]) -> None:
    assert parse_volumes_from(text) == meaning


def test_inherited_mounts_come_before_the_images_volumes() -> None:
    assert wanted({"Volumes": {"/data": {}}}, {}, {"/data"}) == []


def test_a_tmpfs_mount_carries_size_and_mode() -> None:
    mount = from_mount({"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 1024, "Mode": 0o700}})

    assert mount.options == ("size=1024", "mode=700")


@pytest.mark.parametrize(
    ("mount", "field", "value"),
    [
        ({"Type": "bind", "Source": "/a", "BindOptions": {"CreateMountpoint": True}}, "must_exist", False),
        ({"Type": "bind", "Source": "/a", "BindOptions": {"Propagation": "rslave"}}, "propagation", "rslave"),
        ({"Type": "bind", "Source": "/a", "BindOptions": {"NonRecursive": True}}, "recursive", False),
        (
            {"Type": "bind", "Source": "/a", "ReadOnly": True, "BindOptions": {"ReadOnlyNonRecursive": True}},
            "read_only_below",
            False,
        ),
        (
            {"Type": "bind", "Source": "/a", "ReadOnly": True, "BindOptions": {"ReadOnlyForceRecursive": True}},
            "read_only_below",
            True,
        ),
        ({"Type": "bind", "Source": "/a", "ReadOnly": True}, "read_only", True),
        ({"Type": "volume", "Source": "v", "VolumeOptions": {"NoCopy": True}}, "copy", False),
        ({"Type": "image", "Source": "i", "ImageOptions": {"Subpath": "etc"}}, "subpath", "etc"),
        ({"Type": "tmpfs", "TmpfsOptions": {"SizeBytes": 9, "Mode": 448}}, "options", ("size=9", "mode=700")),
    ],
)
def test_each_field_of_a_mount_says_something(mount: Mount, field: str, value: object) -> None:
    assert getattr(from_mount({**mount, "Target": "/x"}), field) == value


@pytest.mark.parametrize("mode", ["shared,private", "z,Z", "ro,rw", "ro,ro", "cached,delegated"])
def test_two_words_of_one_kind_are_no_mode(mode: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^invalid mode: {mode}$"):
        parse_bind(f"/a:/b:{mode}")
