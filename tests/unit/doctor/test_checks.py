from __future__ import annotations

from dataclasses import replace

from wharf.doctor.checks import Verdict, check, fails
from wharf.doctor.machine import Machine
from wharf.kernel.cgroup.hierarchy import Hierarchies

_V2 = Hierarchies({}, "/sys/fs/cgroup", frozenset({"io", "cpu", "cpuset", "memory", "pids"}))
GOOD = Machine(
    release="6.1.0-56-amd64",
    architecture="x86_64",
    uid=0,
    name="me",
    in_user_namespace=False,
    namespaces=frozenset({"ipc", "mount", "network", "pid", "uts", "user", "cgroup", "time"}),
    programs=frozenset({"newuidmap", "newgidmap", "pasta", "slirp4netns", "fuse-overlayfs", "criu", "ps"}),
    hierarchies=_V2,
    delegated=("/sys/fs/cgroup/a (v2)",),
    powerless=frozenset(),
    next_id=165536,
    subordinate_ids=65536,
    subordinate_gids=65536,
    settings={"user.max_user_namespaces": "1000", "kernel.unprivileged_userns_clone": ""},
    filesystems=frozenset({"overlay"}),
    seccomp_actions=frozenset({"kill_process", "user_notif"}),
    tun=True,
    fuse=True,
    lowest_port=1024,
    lingers=True,
    user_namespace="",
    overlay="",
    overlay_in_user_namespace="",
    idmapped_mounts="",
    nftables="",
    device_programs="",
    criu="",
)
_PLAIN = replace(GOOD, uid=1000)


def _lacking(machine: Machine) -> dict[str, str]:
    return {one.what: one.detail for one in check(machine) if one.verdict is not Verdict.WELL}


def test_a_machine_that_has_all_lacks_nothing() -> None:
    assert (_lacking(GOOD), _lacking(_PLAIN)) == ({}, {})


def test_whatever_lacks_is_said_with_what_follows_and_what_to_do() -> None:
    bare = replace(
        GOOD, programs=frozenset(), seccomp_actions=frozenset(), overlay="no such device", nftables="not found",
        idmapped_mounts="function not implemented", device_programs="operation not permitted", release="5.4.0",
        architecture="riscv64", namespaces=frozenset(), hierarchies=Hierarchies({}, "/c", frozenset()),
    )  # fmt: skip
    found = [one for one in check(bare) if one.verdict is not Verdict.WELL]

    assert all(one.consequence and one.remedy for one in found)
    assert {one.what for one in found} == {
        "kernel", "processor", "namespaces", "seccomp", "ps", "overlay", "id-mapped mounts", "criu", "control groups",
        "device programs", "nftables",
    }  # fmt: skip


def test_without_root_and_user_namespaces_there_can_be_no_containers() -> None:
    machine = replace(_PLAIN, user_namespace="no space left on device", settings={"user.max_user_namespaces": "0"})

    assert fails(check(machine))
    assert _lacking(machine) == {"user namespaces": "no space left on device (user.max_user_namespaces=0)"}


def test_a_plain_user_can_do_with_little() -> None:
    machine = replace(
        _PLAIN, programs=frozenset({"ps"}), subordinate_ids=0, delegated=(), tun=False, fuse=False,
        overlay_in_user_namespace="operation not permitted",
    )  # fmt: skip

    assert not fails(check(machine))
    assert _lacking(machine) == {
        "subordinate ids": "newgidmap, newuidmap not installed",
        "overlay in user namespaces": "operation not permitted",
        "fuse-overlayfs": "not installed; /dev/fuse cannot be opened",
        "delegation": "no control group here is yours",
        "networks": "neither pasta nor slirp4netns is installed; /dev/net/tun cannot be opened",
    }


def test_controllers_that_are_not_there_are_named() -> None:
    machine = replace(GOOD, hierarchies=Hierarchies({"memory": "/m", "devices": "/d"}, None, frozenset()))

    assert _lacking(machine) == {"control groups": "v1, without blkio, cpu, cpuset, freezer, pids"}


def _remedies(machine: Machine) -> dict[str, str]:
    return {one.what: one.remedy for one in check(machine) if one.verdict is not Verdict.WELL}


def test_what_is_to_do_is_what_is_missing_and_no_more() -> None:
    assert _remedies(replace(_PLAIN, fuse=False, tun=False, subordinate_ids=0)) == {
        "subordinate ids": "as root: usermod --add-subuids 165536-231071 --add-subgids 165536-231071 me",
        "fuse-overlayfs": "as root: modprobe fuse; chmod 666 /dev/fuse",
        "networks": "as root: modprobe tun; chmod 666 /dev/net/tun",
    }
    assert _remedies(replace(_PLAIN, programs=frozenset({"ps"}))) == {
        "subordinate ids": "install the package uidmap",
        "fuse-overlayfs": "install the package fuse-overlayfs",
        "networks": "install the package passt or slirp4netns",
    }


def test_helpers_without_their_rights_and_sessions_that_end_are_named() -> None:
    machine = replace(_PLAIN, powerless=frozenset({"newuidmap", "newgidmap"}), lingers=False, nftables="not found")

    assert _remedies(machine) == {
        "subordinate ids": "as root: chmod u+s /usr/bin/newgidmap /usr/bin/newuidmap",
        "lingering": "loginctl enable-linger me",
        "nftables": "install the package libnftables1; as root: modprobe nf_tables",
    }
