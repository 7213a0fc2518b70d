from __future__ import annotations

from pathlib import Path

from wharf.engine.containers.inspect import inspect
from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.state import State
from wharf.spec.engine_api.container import ContainerConfig, ContainerInspectResponse, HostConfig

ALWAYS_THERE = {
    "Hostname": "c0ffee", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
    "AttachStderr": False, "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": ["true"],
    "Image": "busybox", "Volumes": None, "WorkingDir": "", "Entrypoint": None, "OnBuild": None, "Labels": {},
}  # fmt: skip


def shown(config: ContainerConfig, host_config: HostConfig | None = None) -> ContainerInspectResponse:
    spec = Specification(config, host_config or {}, {}, [], "true", [])
    container = Container("c0ffee", "web", "", "", "", spec, State())
    return inspect(container, folder=Path("/c"), lower=[], endpoints=[], live_execs=[])


def test_what_a_request_left_out_is_answered_all_the_same() -> None:
    bare: ContainerConfig = {"Image": "busybox", "Cmd": ["true"], "Hostname": "c0ffee"}

    assert shown(bare).get("Config") == ALWAYS_THERE


def test_what_a_request_had_is_answered() -> None:
    asked: ContainerConfig = {"Tty": True, "Labels": {"a": "b"}, "StopSignal": "SIGINT"}

    config = shown(asked).get("Config") or {}
    assert (config.get("Tty"), config.get("Labels"), config.get("StopSignal")) == (True, {"a": "b"}, "SIGINT")


def test_the_paths_that_are_hidden_and_read_only_are_those_in_effect() -> None:
    usual = shown({}).get("HostConfig") or {}
    own = shown({}, {"MaskedPaths": ["/etc/passwd"], "ReadonlyPaths": []}).get("HostConfig") or {}
    privileged = shown({}, {"Privileged": True}).get("HostConfig") or {}

    assert "/proc/kcore" in (usual.get("MaskedPaths") or [])
    assert "/proc/sys" in (usual.get("ReadonlyPaths") or [])
    assert (own.get("MaskedPaths"), own.get("ReadonlyPaths")) == (["/etc/passwd"], [])
    assert (privileged.get("MaskedPaths"), privileged.get("ReadonlyPaths")) == (None, None)


def test_nothing_is_shown_for_lists_that_nobody_gave() -> None:
    usual = shown({}).get("HostConfig") or {}
    given = shown({}, {"Dns": [], "Sysctls": {}, "Mounts": []}).get("HostConfig") or {}

    assert [usual[name] for name in ("Dns", "Devices", "Ulimits", "PortBindings")] == [None] * 4  # type: ignore[literal-required]
    assert given["Dns"] == []
    assert not {"Sysctls", "Mounts", "Tmpfs"} & given.keys()


def test_items_of_lists_are_shown_whole() -> None:
    host = shown({}, {"Devices": [{"PathOnHost": "/dev/x"}], "PortBindings": {"80/tcp": [{"HostPort": "1"}]}})
    found = host.get("HostConfig") or {}

    assert found["Devices"] == [{"PathOnHost": "/dev/x", "PathInContainer": "", "CgroupPermissions": ""}]
    assert found["PortBindings"] == {"80/tcp": [{"HostIp": "", "HostPort": "1"}]}


def test_a_container_without_networking_is_in_no_network() -> None:
    settings = shown({"NetworkDisabled": True}).get("NetworkSettings") or {}

    assert settings["Networks"] == {}


def test_what_is_false_and_what_is_nought_may_have_been_asked_for() -> None:
    found = shown({"StopTimeout": 0}, {"Init": False, "SecurityOpt": ["apparmor=mine"]})

    assert (found.get("Config") or {})["StopTimeout"] == 0
    assert (found.get("HostConfig") or {})["Init"] is False
    assert found["AppArmorProfile"] == "mine"
