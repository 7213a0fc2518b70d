"""A service's limits, devices and restart policy as the Engine API's host configuration."""

from __future__ import annotations

from wharf.compose.model.mounts import DeviceRequest
from wharf.compose.model.resources import ThrottleDevice, Ulimit
from wharf.compose.model.service import Service
from wharf.lib.durations import parse_duration

Document = dict[str, object]


def resources(service: Service) -> Document:
    """Return the fields of Resources; of ``deploy`` and of the service's own attributes."""
    limits = service.deploy.resources.limits if service.deploy is not None else None
    reserved = service.deploy.resources.reservations if service.deploy is not None else None
    cpus = service.cpus or (limits.cpus if limits is not None else 0)
    found: Document = {
        "CgroupParent": service.cgroup_parent,
        "Memory": int(service.mem_limit or (limits.memory if limits is not None else 0)),
        "MemoryReservation": int(service.mem_reservation or (reserved.memory if reserved is not None else 0)),
        "MemorySwap": int(service.memswap_limit),
        "NanoCpus": round(cpus * 1e9),
        "CpuShares": service.cpu_shares,
        "CpuPeriod": _microseconds(service.cpu_period),
        "CpuQuota": _microseconds(service.cpu_quota),
        "CpuRealtimePeriod": _microseconds(service.cpu_rt_period),
        "CpuRealtimeRuntime": _microseconds(service.cpu_rt_runtime),
        "CpusetCpus": service.cpuset,
        "OomKillDisable": service.oom_kill_disable,
        "DeviceCgroupRules": service.device_cgroup_rules,
        "Devices": [
            {"PathOnHost": one.source, "PathInContainer": one.target or one.source,
             "CgroupPermissions": one.permissions or "rwm"}
            for one in service.devices if not _is_vendors(one.source)
        ],
        "DeviceRequests": _requests(service),
        "Ulimits": [_ulimit(name, value) for name, value in sorted(service.ulimits.items())],
        **_blkio(service),
    }  # fmt: skip
    pids = service.pids_limit or (limits.pids if limits is not None else 0)
    if pids:
        found["PidsLimit"] = pids
    if service.mem_swappiness:
        found["MemorySwappiness"] = service.mem_swappiness
    return {name: value for name, value in found.items() if value}


def _microseconds(value: int | str) -> int:
    """Return a period: a number of microseconds, or a duration."""
    if isinstance(value, int) or str(value).isdigit() or not value:
        return int(value or 0)
    return parse_duration(value) // 1000


def _is_vendors(source: str) -> bool:
    """Return whether a device is named as CDI does: ``vendor.com/class=name``."""
    return "=" in source and not source.startswith("/")


def _requests(service: Service) -> list[Document]:
    asked = list(service.gpus)
    if service.deploy is not None and service.deploy.resources.reservations is not None:
        asked += service.deploy.resources.reservations.devices
    found = [_request(one, ["gpu"] if one in service.gpus else []) for one in asked]
    vendors = [one.source for one in service.devices if _is_vendors(one.source)]
    return found + ([{"Driver": "cdi", "DeviceIDs": vendors}] if vendors else [])


def _request(one: DeviceRequest, more: list[str]) -> Document:
    count = -1 if one.count == "all" else int(one.count)
    options = one.options if isinstance(one.options, dict) else dict(text.split("=", 1) for text in one.options)
    capabilities = sorted({*one.capabilities, *more})
    document: Document = {"Driver": one.driver, "Count": count, "DeviceIDs": one.device_ids,
                          "Capabilities": [capabilities], "Options": options}  # fmt: skip
    return {name: value for name, value in document.items() if value}


def _ulimit(name: str, value: Ulimit | int) -> Document:
    soft, hard = (value, value) if isinstance(value, int) else (value.soft, value.hard)
    return {"Name": name, "Soft": soft, "Hard": hard}


def _blkio(service: Service) -> Document:
    blkio = service.blkio_config
    if blkio is None:
        return {}
    return {
        "BlkioWeight": blkio.weight,
        "BlkioWeightDevice": [{"Path": one.path, "Weight": one.weight} for one in blkio.weight_device],
        "BlkioDeviceReadBps": _throttles(blkio.device_read_bps),
        "BlkioDeviceReadIOps": _throttles(blkio.device_read_iops),
        "BlkioDeviceWriteBps": _throttles(blkio.device_write_bps),
        "BlkioDeviceWriteIOps": _throttles(blkio.device_write_iops),
    }


def _throttles(devices: list[ThrottleDevice]) -> list[Document]:
    return [{"Path": one.path, "Rate": int(one.rate)} for one in devices]


_CONDITIONS = {"none": "no", "any": "always", "on-failure": "on-failure"}


def restart_policy(service: Service) -> Document:
    """Return the restart policy: the service's own, else that of ``deploy``."""
    if service.restart:
        name, _, count = service.restart.partition(":")
        return {"Name": name, "MaximumRetryCount": int(count or 0)}
    policy = service.deploy.restart_policy if service.deploy is not None else None
    if policy is None:
        return {}
    name = _CONDITIONS.get(policy.condition or "any", policy.condition)
    return {"Name": name, "MaximumRetryCount": (policy.max_attempts or 0) if name == "on-failure" else 0}
