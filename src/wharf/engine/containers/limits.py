"""Limits that this machine's control groups cannot set: dropped with a warning, in Docker's words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig

_CANNOT: Final = "Your kernel does not support {what} or the cgroup is not mounted. {outcome} discarded."
_DROPPED: Final[tuple[tuple[str, tuple[str, ...], str, str], ...]] = (
    # controller, fields, what the kernel does not support, what is discarded (moby, verifyPlatformContainerResources)
    ("memory", ("Memory", "MemorySwap"), "memory limit capabilities", "Limitation"),
    ("memory", ("MemoryReservation",), "memory soft limit capabilities", "Limitation"),
    ("memory", ("MemorySwappiness",), "memory swappiness capabilities", "Memory swappiness"),
    ("memory", ("OomKillDisable",), "OomKillDisable", "OomKillDisable"),
    ("pids", ("PidsLimit",), "PIDs limit capabilities", "PIDs limit"),
    ("cpu", ("CpuShares",), "CPU shares", "Shares"),
    ("cpu", ("CpuPeriod", "CpuQuota"), "CPU CFS quota/period", "CPU quota/period"),
    ("cpu", ("CpuRealtimePeriod", "CpuRealtimeRuntime"), "CPU real-time scheduler", "Limitation"),
    ("cpuset", ("CpusetCpus", "CpusetMems"), "cpuset", "Cpuset"),
    ("blkio", ("BlkioWeight", "BlkioWeightDevice"), "Block I/O weight", "Weight"),
    ("blkio", ("BlkioDeviceReadBps",), "BPS Block I/O read limit", "Block I/O BPS read limit"),
    ("blkio", ("BlkioDeviceWriteBps",), "BPS Block I/O write limit", "Block I/O BPS write limit"),
    ("blkio", ("BlkioDeviceReadIOps",), "IOPS Block read limit", "Block I/O IOPS read limit"),
    ("blkio", ("BlkioDeviceWriteIOps",), "IOPS Block write limit", "Block I/O IOPS write limit"),
)
_NOWHERE: Final[tuple[tuple[str, str], ...]] = (
    ("KernelMemory", "kernel memory limit capabilities"),
    ("KernelMemoryTCP", "kernel memory TCP limit capabilities"),
)
"""What older clients ask for: kernels count that memory with the rest, and limit it no more (cgroup-v1, memory)."""

_NOT_ON_V2: Final = frozenset({"MemorySwappiness", "OomKillDisable", "CpuRealtimePeriod", "CpuRealtimeRuntime"})
"""What control groups of version 2 have no files for."""

_UNSET: Final[tuple[object, ...]] = (None, 0, False, "", [])


def possible(host: HostConfig, controllers: frozenset[str], *, unified: bool = False) -> tuple[HostConfig, list[str]]:
    """Return ``host`` without the limits that no controller can set, and a warning for each that was asked for.

    ``unified``: the machine has version 2 of control groups alone.

    Raises:
        InvalidArgument: --cpus without the cpu controller, which Docker refuses.
    """
    if host.get("NanoCpus") and "cpu" not in controllers:
        raise InvalidArgument(
            "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted"
        )
    kept: dict[str, Any] = dict(host)
    warnings: list[str] = []
    for name, what in _NOWHERE:
        if kept.pop(name, None):
            warnings.append(_CANNOT.format(what=what, outcome="Limitation"))
    for controller, fields, what, outcome in _DROPPED:
        asked = [name for name in fields if not _is_unset(kept, name)]
        impossible = controller not in controllers or (unified and _NOT_ON_V2.issuperset(fields))
        if not impossible or not asked:
            continue
        warnings.append(_CANNOT.format(what=what, outcome=outcome))
        for name in asked:
            kept[name] = (
                -1 if name == "MemorySwappiness" else [] if isinstance(kept[name], list) else type(kept[name])()
            )
    return cast("HostConfig", kept), warnings + remarks(cast("HostConfig", kept))


def remarks(host: HostConfig) -> list[str]:
    """Return what is done as asked, and what comes of it that a user may not have meant."""
    found = []
    if host.get("OomKillDisable") and not host.get("Memory"):
        found.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system "
            "running out of resources."
        )
    if host.get("NetworkMode") == "host" and host.get("PortBindings"):
        found.append("Published ports are discarded when using host network mode")
    return found


def _is_unset(host: Mapping[str, Any], name: str) -> bool:
    value = host.get(name)
    return value in _UNSET or (name in ("MemorySwappiness", "PidsLimit", "MemorySwap") and value == -1)
