"""From facts to lines: whether it is well, what follows if not, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wharf.doctor.machine import Machine

_OLDEST_KERNEL: Final = (5, 10)
_CONTROLLERS: Final = ("blkio", "cpu", "cpuset", "freezer", "memory", "pids")
_ESSENTIAL_NAMESPACES: Final = frozenset({"ipc", "mount", "network", "pid", "uts"})
_ENOUGH_IDS: Final = 65536
_LOWEST_USUAL: Final = 80


class Verdict(StrEnum):
    """How it is."""

    WELL = "well"
    LACKS = "lacks"  # something will be refused, or slower
    FAILS = "fails"  # there can be no containers


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    verdict: Verdict
    detail: str
    consequence: str = ""
    remedy: str = ""


def check(machine: Machine) -> list[Finding]:
    """Return what is found, the most important first."""
    own = _for_root(machine) if machine.uid == 0 else _for_a_plain_user(machine)
    return [*_for_everybody(machine), *own, *_cgroups(machine), *_networks(machine)]


def fails(findings: list[Finding]) -> bool:
    """Return whether there can be no containers."""
    return any(finding.verdict is Verdict.FAILS for finding in findings)


def _finding(what: str, *, well: bool, detail: str, consequence: str, remedy: str, fatal: bool = False) -> Finding:
    if well:
        return Finding(what, Verdict.WELL, detail)
    return Finding(what, Verdict.FAILS if fatal else Verdict.LACKS, detail, consequence, remedy)


def _for_everybody(machine: Machine) -> Iterator[Finding]:
    yield _finding(
        "kernel",
        well=_version(machine.release) >= _OLDEST_KERNEL,
        detail=machine.release,
        consequence="wharf does not run",
        remedy="use Linux 5.10 or later",
        fatal=True,
    )
    yield _finding(
        "processor",
        well=machine.architecture in ("x86_64", "aarch64"),
        detail=machine.architecture,
        consequence="wharf does not run",
        remedy="use a 64-bit x86 or ARM machine",
        fatal=True,
    )
    missing = sorted(_ESSENTIAL_NAMESPACES - machine.namespaces)
    yield _finding(
        "namespaces",
        well=not missing,
        detail=f"no {', '.join(missing)}" if missing else ", ".join(sorted(machine.namespaces)),
        consequence="there can be no containers",
        remedy="use a kernel with these namespaces (CONFIG_NAMESPACES)",
        fatal=True,
    )
    yield _finding(
        "seccomp",
        well=bool(machine.seccomp_actions),
        detail="user_notif too"
        if "user_notif" in machine.seccomp_actions
        else "filters" * bool(machine.seccomp_actions),
        consequence="containers may make any system call; custom profiles are refused",
        remedy="use a kernel with CONFIG_SECCOMP_FILTER",
    )
    yield _finding(
        "ps",
        well="ps" in machine.programs,
        detail="installed" if "ps" in machine.programs else "not installed",
        consequence="docker top is refused",
        remedy="install the package procps",
    )


def _for_root(machine: Machine) -> Iterator[Finding]:
    yield _finding(
        "overlay",
        well=not machine.overlay,
        detail=machine.overlay or "mounts",
        consequence="the default storage driver does not work",
        remedy="load the kernel's module overlay, or use --storage-driver vfs",
    )
    yield _finding(
        "id-mapped mounts",
        well=not machine.idmapped_mounts,
        detail=machine.idmapped_mounts or "of memory at least",
        consequence="mounts with mapped ids are refused",
        remedy="use Linux 5.12 or later",
    )
    if machine.criu or "criu" not in machine.programs:
        detail = machine.criu or "criu is not installed"
        yield Finding("criu", Verdict.LACKS, detail, "checkpoints are refused", "install criu 4 or later")
    else:
        yield Finding("criu", Verdict.WELL, "criu check passes")


def _for_a_plain_user(machine: Machine) -> Iterator[Finding]:
    settings = ", ".join(f"{name}={value}" for name, value in machine.settings.items() if value)
    yield _finding(
        "user namespaces",
        well=not machine.user_namespace,
        detail=f"{machine.user_namespace} ({settings})" if machine.user_namespace else "may be made",
        consequence="you can have no engine of your own",
        remedy="as root: sysctl user.max_user_namespaces=65536, kernel.unprivileged_userns_clone=1 or "
        "kernel.apparmor_restrict_unprivileged_userns=0, whichever there is; or run wharf as root",
        fatal=True,
    )
    yield _subordinate_ids(machine)
    yield _finding(
        "overlay in user namespaces",
        well=not machine.overlay_in_user_namespace,
        detail=machine.overlay_in_user_namespace or "mounts",
        consequence="fuse-overlayfs is used if it can be, else every container's root is a copy",
        remedy="use Linux 5.11 or later",
    )
    yield _finding(
        "fuse-overlayfs",
        well="fuse-overlayfs" in machine.programs and machine.fuse,
        detail=_program(machine, "fuse-overlayfs") + ("" if machine.fuse else "; /dev/fuse cannot be opened"),
        consequence="there is nothing between overlay and copies",
        remedy=_both(
            "" if "fuse-overlayfs" in machine.programs else "install the package fuse-overlayfs",
            "" if machine.fuse else "as root: modprobe fuse; chmod 666 /dev/fuse",
        ),
    )
    yield _finding(
        "lingering",
        well=machine.lingers,
        detail="processes outlast a log-out" if machine.lingers else "systemd ends your processes when you log out",
        consequence="containers end with your last session",
        remedy=f"loginctl enable-linger {machine.name}",
    )


def _subordinate_ids(machine: Machine) -> Finding:
    missing = sorted({"newuidmap", "newgidmap"} - machine.programs)
    enough = min(machine.subordinate_ids, machine.subordinate_gids) >= _ENOUGH_IDS
    detail = f"{machine.subordinate_ids} user and {machine.subordinate_gids} group ids"
    if machine.powerless:
        detail = f"{', '.join(sorted(machine.powerless))} may not map ids"
    if missing:
        detail = f"{', '.join(missing)} not installed"
    ids = f"{machine.next_id}-{machine.next_id + _ENOUGH_IDS - 1}"
    return _finding(
        "subordinate ids",
        well=not missing and not machine.powerless and enough,
        detail=detail,
        consequence="root is the only user in containers",
        remedy=_both(
            "install the package uidmap" if missing else "",
            f"as root: chmod u+s /usr/bin/{' /usr/bin/'.join(sorted(machine.powerless))}" * bool(machine.powerless),
            "" if enough else f"as root: usermod --add-subuids {ids} --add-subgids {ids} {machine.name}",
        ),
    )


def _both(*steps: str) -> str:
    """Return those steps that are any."""
    return "; ".join(step for step in steps if step)


def _cgroups(machine: Machine) -> Iterator[Finding]:
    hierarchies = machine.hierarchies
    version = "hybrid" if hierarchies.v1 and hierarchies.v2 else "v1" if hierarchies.v1 else "v2"
    missing = [name for name in _CONTROLLERS if name not in hierarchies.controllers]
    yield _finding(
        "control groups",
        well=not missing,
        detail=f"{version}, without {', '.join(missing)}" if missing else f"{version}, all controllers",
        consequence=f"limits of {', '.join(missing)} are dropped with a warning",
        remedy="mount them at /sys/fs/cgroup",
    )
    if machine.uid:
        yield _finding(
            "delegation",
            well=bool(machine.delegated),
            detail=", ".join(machine.delegated) or "no control group here is yours",
            consequence="limits are dropped with a warning; containers cannot be paused",
            remedy="with systemd: systemd-run --user --scope -p Delegate=yes wharfd; else, as root, in each hierarchy"
            f" below /sys/fs/cgroup: mkdir {machine.name}; chown -R {machine.name} {machine.name}; "
            f"echo YOUR_SHELLS_PID > {machine.name}/cgroup.procs",
        )
    elif not hierarchies.v1:
        yield _finding(
            "device programs",
            well=not machine.device_programs,
            detail=machine.device_programs or "load",
            consequence="containers cannot be started, for devices could not be denied",
            remedy="use a kernel with CONFIG_CGROUP_BPF, and CAP_BPF",
            fatal=True,
        )


def _networks(machine: Machine) -> Iterator[Finding]:
    yield _finding(
        "nftables",
        well=not machine.nftables,
        detail=machine.nftables or "answers",
        consequence="bridge networks and published ports do not work",
        remedy="install the package libnftables1; as root: modprobe nf_tables",
    )
    if machine.uid == 0:
        return
    carriers = [name for name in ("pasta", "slirp4netns") if name in machine.programs]
    yield _finding(
        "networks",
        well=bool(carriers) and machine.tun,
        detail=(" and ".join(carriers) or "neither pasta nor slirp4netns is installed")
        + ("" if machine.tun else "; /dev/net/tun cannot be opened"),
        consequence="there are --network none and --network host only",
        remedy=_both(
            "" if carriers else "install the package passt or slirp4netns",
            "" if machine.tun else "as root: modprobe tun; chmod 666 /dev/net/tun",
        ),
    )
    lower = f"; lower ones, as root: sysctl net.ipv4.ip_unprivileged_port_start={_LOWEST_USUAL}"
    detail = f"from {machine.lowest_port} on" + (lower if machine.lowest_port > _LOWEST_USUAL else "")
    yield Finding("published ports", Verdict.WELL, detail)


def _program(machine: Machine, name: str) -> str:
    return "installed" if name in machine.programs else "not installed"


def _version(release: str) -> tuple[int, int]:
    major, minor, *_ = release.split(".")
    return int(major), int("".join(c for c in minor if c.isdigit()))
