"""What is refused before a process exists, and what the plans say."""

from __future__ import annotations

from typing import Any

import pytest

from wharf.runtime import devices, init, mounts, namespaces, privileges, support, sysctls
from wharf.runtime.errors import StartFailed
from wharf.runtime.invocation import Invocation


def spec(**more: Any) -> Any:
    return {"ociVersion": "1.2.1", "root": {"path": "rootfs"}, "process": {"args": ["sh"], "cwd": "/"}, **more}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        *(
            (spec(ociVersion=v), f"ociVersion {v} is not supported")
            for v in ("2.0.0", "1.x", "1.0", "1.0.0.0", "v1.0.0")
        ),
        (spec(process={"args": []}), "args must not be empty"),
        (spec(process={"args": ["sh"], "cwd": "tmp"}), "Cwd must be an absolute path"),
        (spec(process={"args": ["a\0b"]}), "must not contain a NUL"),
        (spec(root={}), "root.path is missing"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(document: Any, message: str) -> None:
    with pytest.raises(StartFailed, match=message) as caught:
        support.check(document)
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("version", ["1.0.0", "1.0.2-dev", "1.3.0+build.5", "1.9.0-rc.1+a"])
def test_versions_of_the_same_major_number_are_taken(version: str) -> None:
    support.check(spec(ociVersion=version))


def test_a_soft_limit_above_its_hard_one_is_refused() -> None:
    limits: Any = {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 20, "hard": 10}]}
    with pytest.raises(StartFailed, match="RLIMIT_NOFILE: the soft limit 20 is above the hard limit 10"):
        privileges.Privileges(limits, b"", 0)


@pytest.mark.parametrize(
    ("linux", "message"),
    [
        ({"namespaces": [{"type": "moon"}]}, "moon"),
        ({"namespaces": [{"type": "mount"}, {"type": "mount"}]}, "duplicated ns"),
        ({"namespaces": [{"type": "mount"}, {"type": "user"}]}, "no uid or gid mappings"),
        ({"namespaces": [{"type": "mount"}], "uidMappings": [{}]}, "user namespace isn't enabled"),
        ({"namespaces": [{"type": "network", "path": "proc/1/ns/net"}]}, "not absolute"),
        ({"namespaces": [{"type": "mount"}], "timeOffsets": {"monotonic": {"secs": 1}}}, "time namespace isn't"),
    ],
)
def test_namespaces_that_cannot_be_are_refused(linux: Any, message: str) -> None:
    with pytest.raises(StartFailed, match=message):
        namespaces.plan(linux)


def test_new_namespaces_are_cloned_and_given_ones_joined() -> None:
    plan = namespaces.plan(
        {"namespaces": [{"type": "mount"}, {"type": "cgroup"}, {"type": "network", "path": "/run/netns/x"}]}
    )

    assert repr(plan) == ("namespaces new=['mount'] cgroup=True time=False join=[('network', '/run/netns/x')] {}")


@pytest.mark.parametrize("name", ["kernel.panic", "net.ipv4.ip_forward", "kernel.hostname", "vm.swappiness"])
def test_a_sysctl_of_the_host_is_refused(name: str) -> None:
    plan = namespaces.plan({"namespaces": [{"type": "mount"}, {"type": "ipc"}]})

    with pytest.raises(StartFailed, match="is not in a separate kernel namespace"):
        sysctls.plan({name: "1"}, plan)


def test_a_sysctl_of_an_own_namespace_is_planned() -> None:
    plan = namespaces.plan({"namespaces": [{"type": "mount"}, {"type": "ipc"}, {"type": "network"}]})

    assert sysctls.plan({"net.ipv4.ip_forward": "1", "kernel/shmmax": "1"}, plan) == [
        ("net.ipv4.ip_forward", "1"),
        ("kernel/shmmax", "1"),
    ]


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ({"type": "tmpfs"}, "mount without a destination"),
        ({"destination": "/x"}, "has no type"),
        ({"destination": "/x", "type": "proc", "options": ["tmpcopyup"]}, "tmpcopyup is for tmpfs"),
        ({"destination": "/x", "type": "tmpfs", "options": ["remount", "size=1k"]}, "can only change the mount"),
    ],
)
def test_mounts_that_cannot_be_are_refused(mount: Any, message: str) -> None:
    with pytest.raises(StartFailed, match=message):
        mounts.plan([mount], bundle="/b", context="", warnings=[])


def test_options_that_a_bind_mount_cannot_have_are_warned_of() -> None:
    warnings: list[str] = []

    (plan,) = mounts.plan(
        [{"destination": "/x", "source": "/", "options": ["bind", "mode=1"]}],
        bundle="/b",
        context="",
        warnings=warnings,
    )

    assert repr(plan) == "mount bind / at /x Options(bind=True)"
    assert warnings == ["mount options ['mode'] have no effect on the bind mount at /x"]


def test_new_file_systems_get_the_mount_label() -> None:
    (plan,) = mounts.plan([{"destination": "/x", "type": "tmpfs"}], bundle="/b", context="a:b:c", warnings=[])

    assert plan.options.data == [("context", "a:b:c")]


def test_a_relative_source_is_below_the_bundle() -> None:
    (plan,) = mounts.plan(
        [{"destination": "data", "source": "d", "options": ["bind", "ro"]}], bundle="/b", context="", warnings=[]
    )

    assert repr(plan) == "mount bind /b/d at /data Options(bind=True, set=1)"


def test_a_bound_dev_is_left_alone() -> None:
    bound = mounts.plan(
        [{"destination": "/dev", "source": "/dev", "options": ["rbind"]}], bundle="/b", context="", warnings=[]
    )

    assert devices.plan([], bound) == []


def test_an_asked_device_replaces_a_default_one() -> None:
    nodes = devices.plan(
        [{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600, "uid": 7}], []
    )

    assert [repr(n) for n in nodes if n.path == "/dev/null"] == ["mknod /dev/null 20600 1:3 owned by 7:0"]


def test_a_device_of_unknown_type_is_refused() -> None:
    with pytest.raises(StartFailed, match='device "/dev/x" of type "z" is not supported'):
        devices.plan([{"path": "/dev/x", "type": "z"}], [])


@pytest.mark.parametrize("name", ["maskedPaths", "readonlyPaths"])
def test_a_path_to_hide_must_be_absolute(name: str) -> None:
    document = spec(linux={"namespaces": [{"type": "mount"}], name: ["proc/keys"]})

    with pytest.raises(StartFailed, match=f"{name}: proc/keys is not an absolute path"):
        init.plan(document, "/b", (), (b"", 0), Invocation(state={}))


@pytest.mark.parametrize("numbers", [{}, {"major": 1}])
def test_a_device_has_both_its_numbers(numbers: Any) -> None:
    with pytest.raises(StartFailed, match='device "/dev/x" of type "c" has no major or no minor number'):
        devices.plan([{"path": "/dev/x", "type": "c", **numbers}], [])

    assert devices.plan([{"path": "/run/x", "type": "p"}], [])[-1].asked
