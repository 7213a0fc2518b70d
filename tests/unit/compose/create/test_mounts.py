from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.create.mounts import mounts_of, tmpfs_of
from wharf.compose.plan.observed import Container


def mounts(service: str, more: str = "", inherit: Container | None = None) -> list[dict[str, object]]:
    app = project(f"services: {{a: {service}}}\n{more}")
    return mounts_of(app, app.services["a"], inherit)


def test_mount_of_each_kind() -> None:
    found = mounts(
        "{image: x, volumes: ['vol:/1:nocopy', './src:/2:ro,rslave', /3,"
        " {type: tmpfs, target: /4, tmpfs: {size: 1m, mode: 01777}}, {type: image, source: i, target:"
        " /5, image: {subpath: s}},"
        " {type: volume, source: vol, target: /6, volume: {subpath: p, labels: [k=v]}},"
        " {type: bind, source: /b, target: /7, bind: {create_host_path: false, recursive: readonly}},"
        " {type: bind, source: /b, target: /8, bind: {propagation: rslave}}]}",
        "volumes: {vol: {}}",
    )

    assert found == [
        {"Type": "volume", "Target": "/1", "Source": "app_vol", "VolumeOptions": {"NoCopy": True}},
        {
            "Type": "bind",
            "Target": "/2",
            "Source": "/app/src",
            "ReadOnly": True,
            "BindOptions": {"Propagation": "rslave", "CreateMountpoint": True},
        },
        {"Type": "volume", "Target": "/3"},
        {"Type": "tmpfs", "Target": "/4", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o1777}},
        {"Type": "image", "Target": "/5", "Source": "i", "ImageOptions": {"Subpath": "s"}},
        {
            "Type": "volume",
            "Target": "/6",
            "Source": "app_vol",
            "VolumeOptions": {"Subpath": "p", "Labels": {"k": "v"}},
        },
        {"Type": "bind", "Target": "/7", "Source": "/b", "BindOptions": {"ReadOnlyForceRecursive": True}},
        {
            "Type": "bind",
            "Target": "/8",
            "Source": "/b",
            "BindOptions": {"Propagation": "rslave", "CreateMountpoint": True},
        },
    ]


def test_anonymous_volumes_are_taken_over_unless_something_is_mounted_there() -> None:
    old = Container(
        "1",
        "n",
        "a",
        1,
        "running",
        mounts=(
            ("volume", "a" * 64, "/1"),
            ("volume", "b" * 64, "/2"),
            ("volume", "named", "/3"),
            ("bind", "/x", "/4"),
        ),
    )

    assert mounts("{image: x, volumes: ['vol:/2', /1]}", "volumes: {vol: {}}", old) == [
        {"Type": "volume", "Target": "/1", "Source": "a" * 64},
        {"Type": "volume", "Target": "/2", "Source": "app_vol"},
    ]


def test_files_of_secrets_and_configs_are_mounted_read_only() -> None:
    found = mounts(
        "{image: x, secrets: [s, {source: s, target: other}], configs: [c]}",
        "secrets: {s: {file: ./s}}\nconfigs: {c: {file: ./c}}",
    )

    assert [(one["Source"], one["Target"], one["ReadOnly"]) for one in found] == [
        ("/app/c", "/c", True),
        ("/app/s", "/run/secrets/other", True),
        ("/app/s", "/run/secrets/s", True),
    ]


def test_file_whose_owner_or_mode_is_asked_for_is_copied_instead() -> None:
    assert mounts("{image: x, secrets: [{source: s, mode: 0400}]}", "secrets: {s: {file: ./s}}") == []


def test_tmpfs_has_options() -> None:
    app = project("services: {a: {image: x, tmpfs: [/a, '/b:size=1m,mode=1777']}}")

    assert tmpfs_of(app.services["a"]) == {"/a": "", "/b": "size=1m,mode=1777"}
