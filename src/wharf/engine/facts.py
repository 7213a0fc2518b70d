"""What this machine can do, read once when an engine starts; refuses what cannot work at all."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from pathlib import Path

from wharf.engine.containers import ranges
from wharf.engine.ocispec.inputs import HostFacts
from wharf.engine.system import architecture
from wharf.errors import Forbidden, NotImplementedHere
from wharf.kernel import capability, userns
from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.lib.places import ROOTLESS
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.rootless import World
from wharf.storage.layout import default_places

_SUPPORTED = ("amd64", "arm64")
_APPARMOR = "/sys/module/apparmor/parameters/enabled"
_SELINUX = "/sys/fs/selinux/enforce"
_NODES = "/sys/devices/system/node/online"
_OLDEST_KERNEL = (5, 10)


def read_facts() -> HostFacts:
    """Return the facts.

    Raises:
        NotImplementedHere: the machine is not a 64-bit one of a kernel that is new enough.
        Forbidden: this process may not make containers.
    """
    arch = architecture()
    if arch not in _SUPPORTED:
        raise NotImplementedHere(f"wharf runs on 64-bit Linux on x86_64 and aarch64 only: this machine is {arch}")
    kernel = _kernel(platform.release())
    if kernel < _OLDEST_KERNEL:
        raise NotImplementedHere(f"wharf needs Linux 5.10 or later: this is {platform.release()}")
    if os.geteuid() != 0:
        raise Forbidden(
            "an engine needs root, or a user namespace in which its user is root: run the program with "
            "'wharf unshare PROGRAM', or with sudo"
        )
    return HostFacts(
        cgroup2=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        seccomp=Path("/proc/sys/kernel/seccomp/actions_avail").exists(),
        kernel=kernel,
        arch=arch,
        capabilities=frozenset(capability.names_of(capability.bounding())),
        cpus=len(os.sched_getaffinity(0)),
        controllers=read_hierarchies().controllers,
        rootless=userns.inside(),
        one_id=userns.has_one_id(),
        apparmor=_reads(_APPARMOR).startswith("Y"),
        selinux=Path(_SELINUX).exists(),
        world=_world(),
    )


def require_here(host: HostConfig) -> None:
    """Refuse processors and memory nodes that this machine has not; InvalidArgument, in Docker's words."""
    if any(host.get(field) for field in ("NanoCpus", "CpusetCpus", "CpusetMems")):
        nodes = ranges.numbers(_reads(_NODES).strip() or "0")
        ranges.check_here(host, os.sched_getaffinity(0), nodes)


def _reads(path: str) -> str:
    with suppress(FileNotFoundError):
        return Path(path).read_text(encoding="ascii")
    return ""


def _world() -> World | None:
    """Return what the launcher of a rootless engine has told; None for an engine that it did not start."""
    if not os.environ.get(ROOTLESS):
        return None
    file = Path(default_places().run_root) / "rootless" / "world.json"
    return json.loads(file.read_text())  # type: ignore[no-any-return]  # our own writing


def _kernel(release: str) -> tuple[int, int]:
    major, minor, *_ = release.split(".")
    return int(major), int("".join(c for c in minor if c.isdigit()))
