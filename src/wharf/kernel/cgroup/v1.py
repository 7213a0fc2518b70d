"""OCI resources as writes into cgroup v1 files; pure (runtime-spec config-linux.md "Control Groups").

Each function returns (file, value) pairs in the order that suits a fresh group. Zero means "not set" where the
specification's Go types cannot say it otherwise (memory, cpu); -1 means without limit.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wharf.kernel.cgroup.resources import (
        CPU,
        BlockIO,
        DeviceRule,
        HugepageLimit,
        Memory,
        NetworkResources,
        Pids,
        RdmaLimit,
        ThrottleDevice,
    )

Writes = list[tuple[str, str]]

_MEMORY = (
    ("limit", "memory.limit_in_bytes"),
    ("swap", "memory.memsw.limit_in_bytes"),
    ("reservation", "memory.soft_limit_in_bytes"),
    ("kernel", "memory.kmem.limit_in_bytes"),
    ("kernelTCP", "memory.kmem.tcp.limit_in_bytes"),
)

_CPU = (
    ("shares", "cpu.shares"),
    ("period", "cpu.cfs_period_us"),
    ("quota", "cpu.cfs_quota_us"),
    ("burst", "cpu.cfs_burst_us"),
    ("realtimePeriod", "cpu.rt_period_us"),
    ("realtimeRuntime", "cpu.rt_runtime_us"),
)

THROTTLES = (
    ("throttleReadBpsDevice", "read_bps_device", "rbps"),
    ("throttleWriteBpsDevice", "write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "write_iops_device", "wiops"),
)
"""Name in the specification, end of the v1 file's name, key in v2's io.max."""


def memory(memory: Memory) -> Writes:
    """Return the writes for "memory".

    ``swap`` counts memory and swap together, as v1's memsw does. Without a memory limit no memsw limit may stay.
    """
    writes = [(file, str(value)) for key, file in _MEMORY if (value := _integer(memory, key))]
    if _integer(memory, "limit") == -1 and not memory.get("swap"):
        writes.insert(0, ("memory.memsw.limit_in_bytes", "-1"))
    if "swappiness" in memory:
        writes.append(("memory.swappiness", str(memory["swappiness"])))
    if "disableOOMKiller" in memory:
        writes.append(("memory.oom_control", "1" if memory["disableOOMKiller"] else "0"))
    if memory.get("useHierarchy"):
        writes.append(("memory.use_hierarchy", "1"))
    return writes


def cpu(cpu: CPU) -> Writes:
    """Return the writes for "cpu", cpusets excepted."""
    writes = [(file, str(value)) for key, file in _CPU if (value := _integer(cpu, key))]
    if "idle" in cpu:
        writes.append(("cpu.idle", str(cpu["idle"])))
    return writes


def cpuset(cpu: CPU) -> Writes:
    """Return the writes for the cpuset part of "cpu"."""
    writes = [("cpuset.cpus", cpu["cpus"])] if cpu.get("cpus") else []
    return [*writes, ("cpuset.mems", cpu["mems"])] if cpu.get("mems") else writes


def pids(pids: Pids) -> Writes:
    """Return the writes for "pids"; 0 is a limit, -1 is none."""
    return [("pids.max", "max" if pids["limit"] < 0 else str(pids["limit"]))] if "limit" in pids else []


def blkio(block: BlockIO, *, bfq: bool) -> Writes:
    """Return the writes for "blockIO"; with ``bfq`` the weights are those of the BFQ scheduler.

    A device's weight of 0 takes back what it had of its own.
    """
    prefix = "blkio.bfq" if bfq else "blkio"
    writes = [(f"{prefix}.weight", str(block["weight"]))] if block.get("weight") else []
    if block.get("leafWeight"):
        writes.append((f"{prefix}.leaf_weight", str(block["leafWeight"])))
    for device in block.get("weightDevice", ()):
        name = f"{device['major']}:{device['minor']}"
        if "weight" in device:
            writes.append((f"{prefix}.weight_device", f"{name} {device['weight'] or 'default'}"))
        if device.get("leafWeight"):
            writes.append((f"{prefix}.leaf_weight_device", f"{name} {device['leafWeight']}"))
    for key, file, _ in THROTTLES:
        limits = throttles(block, key)
        writes += [(f"blkio.throttle.{file}", f"{t['major']}:{t['minor']} {t['rate']}") for t in limits]
    return writes


def devices(rules: Iterable[DeviceRule]) -> Writes:
    """Return the writes for "devices", in the order of the rules: a later one overrides."""
    return [("devices.allow" if rule.get("allow") else "devices.deny", _device(rule)) for rule in rules]


def hugetlb(
    limits: Iterable[HugepageLimit], *, is_file: Callable[[str], bool], end: str = "limit_in_bytes"
) -> Writes:
    """Return the writes for "hugepageLimits": of pages in use, and of those reserved where the kernel counts them.

    Args:
        limits: as config.json has them.
        is_file: whether a group has a file.
        end: of the files' names.

    Raises:
        OSError: EINVAL: a size that is none.
    """
    writes = []
    for limit in limits:
        size = limit["pageSize"]
        if not size.removesuffix("B").isalnum():
            raise OSError(errno.EINVAL, "not the size of a page", f"hugetlb.{size}")
        used, reserved = f"hugetlb.{size}.{end}", f"hugetlb.{size}.rsvd.{end}"
        writes += [(file, str(limit["limit"])) for file in (used, reserved) if file == used or is_file(file)]
    return writes


def net_cls(network: NetworkResources) -> Writes:
    """Return the writes for the class of "network"."""
    return [("net_cls.classid", str(network["classID"]))] if network.get("classID") else []


def net_prio(network: NetworkResources) -> Writes:
    """Return the writes for the priorities of "network"."""
    return [("net_prio.ifpriomap", f"{p['name']} {p['priority']}") for p in network.get("priorities", ())]


def rdma(limits: Mapping[str, RdmaLimit]) -> Writes:
    """Return the writes for "rdma" (the same in v2)."""
    writes = []
    for device, limit in limits.items():
        words = [device]
        words += [f"hca_handle={limit['hcaHandles']}"] if "hcaHandles" in limit else []
        words += [f"hca_object={limit['hcaObjects']}"] if "hcaObjects" in limit else []
        writes.append(("rdma.max", " ".join(words)))
    return writes


def throttles(block: BlockIO, key: str) -> list[ThrottleDevice]:
    """Return the list under one of the THROTTLES keys."""
    found = block.get(key, [])
    assert isinstance(found, list)
    return found


def _integer(document: Mapping[str, object], key: str) -> int:
    value = document.get(key, 0)
    assert isinstance(value, int)
    return value


def _device(rule: DeviceRule) -> str:
    kind = rule.get("type", "a")
    if kind == "a" and "major" not in rule and "minor" not in rule:
        return "a"
    numbers = [str(number) if number is not None and number >= 0 else "*" for number in _numbers(rule)]
    return f"{kind} {numbers[0]}:{numbers[1]} {rule.get('access', 'rwm')}"


def _numbers(rule: DeviceRule) -> tuple[int | None, int | None]:
    return rule.get("major"), rule.get("minor")
