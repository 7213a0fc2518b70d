"""What this machine can do, read once when an engine starts; refuses what cannot work at all."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from wharf.engine.ocispec.inputs import HostFacts
from wharf.engine.system import architecture
from wharf.errors import Forbidden, NotImplementedHere
from wharf.kernel import capability

_SUPPORTED = ("amd64", "arm64")
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
        raise Forbidden("wharf needs root to make containers: run it with sudo (rootless mode is not in this build)")
    return HostFacts(
        cgroup2=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        seccomp=Path("/proc/sys/kernel/seccomp/actions_avail").exists(),
        kernel=kernel,
        arch=arch,
        capabilities=frozenset(capability.names_of(capability.bounding())),
        cpus=len(os.sched_getaffinity(0)),
    )


def _kernel(release: str) -> tuple[int, int]:
    major, minor, *_ = release.split(".")
    return int(major), int("".join(c for c in minor if c.isdigit()))
