"""Limits: HostConfig's numbers as linux.resources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig, ThrottleDevice
from wharf.spec.oci_runtime import CPU, BlockIO, Device, DeviceRule, Memory, Resources, WeightDevice
from wharf.spec.oci_runtime import ThrottleDevice as OciThrottle

CPU_PERIOD_US: Final = 100_000
_RULE = re.compile(r"([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})")

_TERMINALS_AND_NULLS: Final[tuple[tuple[str, int, int], ...]] = (
    ("c", 1, 3),  # null
    ("c", 1, 5),  # zero
    ("c", 1, 7),  # full
    ("c", 1, 8),  # random
    ("c", 1, 9),  # urandom
    ("c", 5, 0),  # tty
    ("c", 5, 1),  # console
    ("c", 5, 2),  # ptmx
    ("c", 136, -1),  # pts/*
)


def of_host_config(host: HostConfig, devices: Iterable[Device], *, privileged: bool) -> Resources:
    """Return linux.resources (config-linux.md "Control groups"); keys without a limit are left out."""
    resources: Resources = {"devices": _device_rules(host, devices, privileged=privileged)}
    if memory := _memory(host):
        resources["memory"] = memory
    if cpu := _cpu(host):
        resources["cpu"] = cpu
    if (pids := host.get("PidsLimit")) is not None and pids != 0:
        resources["pids"] = {"limit": pids}
    if block_io := _block_io(host):
        resources["blockIO"] = block_io
    return resources


def _memory(host: HostConfig) -> Memory:
    memory: Memory = {}
    if limit := host.get("Memory"):
        memory["limit"] = limit
    if reservation := host.get("MemoryReservation"):
        memory["reservation"] = reservation
    if swap := host.get("MemorySwap"):
        memory["swap"] = swap
    if (swappiness := host.get("MemorySwappiness")) is not None and swappiness != -1:
        memory["swappiness"] = swappiness
    if host.get("OomKillDisable"):
        memory["disableOOMKiller"] = True
    return memory


def _cpu(host: HostConfig) -> CPU:
    cpu: CPU = {}
    if shares := host.get("CpuShares"):
        cpu["shares"] = shares
    if nano := host.get("NanoCpus"):
        cpu["period"] = CPU_PERIOD_US
        cpu["quota"] = nano * CPU_PERIOD_US // 1_000_000_000
    if period := host.get("CpuPeriod"):
        cpu["period"] = period
    if quota := host.get("CpuQuota"):
        cpu["quota"] = quota
    if cpus := host.get("CpusetCpus"):
        cpu["cpus"] = cpus
    if mems := host.get("CpusetMems"):
        cpu["mems"] = mems
    if realtime_period := host.get("CpuRealtimePeriod"):
        cpu["realtimePeriod"] = realtime_period
    if realtime_runtime := host.get("CpuRealtimeRuntime"):
        cpu["realtimeRuntime"] = realtime_runtime
    return cpu


def _block_io(host: HostConfig) -> BlockIO:
    block_io: BlockIO = {}
    if weight := host.get("BlkioWeight"):
        block_io["weight"] = weight
    if weights := host.get("BlkioWeightDevice"):
        block_io["weightDevice"] = [
            _weight(device.get("Path") or "", device.get("Weight") or 0) for device in weights
        ]
    if devices := host.get("BlkioDeviceReadBps"):
        block_io["throttleReadBpsDevice"] = _throttles(devices)
    if devices := host.get("BlkioDeviceWriteBps"):
        block_io["throttleWriteBpsDevice"] = _throttles(devices)
    if devices := host.get("BlkioDeviceReadIOps"):
        block_io["throttleReadIOPSDevice"] = _throttles(devices)
    if devices := host.get("BlkioDeviceWriteIOps"):
        block_io["throttleWriteIOPSDevice"] = _throttles(devices)
    return block_io


def _throttles(devices: Iterable[ThrottleDevice]) -> list[OciThrottle]:
    """Read "major:minor" from Path: the engine has looked the device up (``containers/devices.py``)."""
    throttles: list[OciThrottle] = []
    for device in devices:
        major, _, minor = (device.get("Path") or "").partition(":")
        throttles.append({"major": int(major), "minor": int(minor), "rate": device.get("Rate") or 0})
    return throttles


def _weight(number: str, weight: int) -> WeightDevice:
    major, _, minor = number.partition(":")
    return {"major": int(major), "minor": int(minor), "weight": weight}


def _device_rules(host: HostConfig, devices: Iterable[Device], *, privileged: bool) -> list[DeviceRule]:
    if privileged:
        return [{"allow": True, "access": "rwm"}]
    rules: list[DeviceRule] = [{"allow": False, "access": "rwm"}]
    rules += [{"allow": True, "type": t, "access": "m"} for t in ("c", "b")]  # mknod harms nobody without access
    for kind, major, minor in _TERMINALS_AND_NULLS:
        rule: DeviceRule = {"allow": True, "type": kind, "major": major, "access": "rwm"}
        if minor >= 0:
            rule["minor"] = minor
        rules.append(rule)
    access = {
        d.get("PathInContainer") or d.get("PathOnHost"): d.get("CgroupPermissions") for d in host.get("Devices") or []
    }
    rules += [
        {
            "allow": True,
            "type": d["type"],
            "major": d["major"],
            "minor": d["minor"],
            "access": access.get(d["path"]) or "rwm",
        }
        for d in devices
    ]
    rules += [parse_rule(text) for text in host.get("DeviceCgroupRules") or []]
    return rules


def parse_rule(text: str) -> DeviceRule:
    """Return a --device-cgroup-rule such as "c 1:* rwm" as an OCI rule.

    Raises:
        InvalidArgument: it is not of that form.
    """
    if (match := _RULE.fullmatch(text)) is None:
        raise InvalidArgument(f"invalid device cgroup rule format: '{text}'")
    kind, major, minor, access = match.groups()
    rule: DeviceRule = {"allow": True, "type": kind, "access": access}
    if major != "*":
        rule["major"] = int(major)
    if minor != "*":
        rule["minor"] = int(minor)
    return rule
