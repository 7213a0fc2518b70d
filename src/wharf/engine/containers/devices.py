"""--device and the throttled devices: paths on the host become device numbers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final, Literal

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig, ThrottleDevice
from wharf.spec.oci_runtime import Device

THROTTLES: Final[
    tuple[Literal["BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"], ...]
] = (
    "BlkioDeviceReadBps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteIOps",
)


def of_host_config(host: HostConfig) -> list[Device]:
    """Return the device nodes to make; with --privileged all of the host's.

    Raises:
        InvalidArgument: a path is not a device.
    """
    if host.get("Privileged"):
        return list(_nodes_below("/dev", "/dev"))
    devices: list[Device] = []
    for mapping in host.get("Devices") or []:
        source = mapping.get("PathOnHost") or ""
        target = mapping.get("PathInContainer") or source
        if access := set(mapping.get("CgroupPermissions") or "rwm") - set("rwm"):
            raise InvalidArgument(f"invalid device mode: {''.join(sorted(access))}")
        if os.path.isdir(source):
            devices += _nodes_below(source, target)
        else:
            devices.append(_node(source, target))
    return devices


def with_numbers(host: HostConfig) -> HostConfig:
    """Return ``host`` with the throttled devices' paths replaced by "major:minor"."""
    numbered: HostConfig = {**host}
    for field in THROTTLES:
        if devices := host.get(field):
            numbered[field] = [_numbered(device) for device in devices]
    if weights := host.get("BlkioWeightDevice"):
        numbered["BlkioWeightDevice"] = [
            {"Path": _number_of(device.get("Path") or ""), "Weight": device.get("Weight") or 0} for device in weights
        ]
    return numbered


def _numbered(device: ThrottleDevice) -> ThrottleDevice:
    return {"Path": _number_of(device.get("Path") or ""), "Rate": device.get("Rate") or 0}


def _number_of(path: str) -> str:
    status = _stat(path)
    if not stat.S_ISBLK(status.st_mode):
        raise InvalidArgument(f"{path} is not a block device")
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def _nodes_below(source: str, target: str) -> Iterator[Device]:
    for folder, folders, names in os.walk(source):
        if folder == "/dev":
            folders[:] = [
                f for f in folders if f not in ("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev")
            ]
        for name in names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and path != "/dev/console":
                yield _node(path, target + path.removeprefix(source))


def _node(source: str, target: str) -> Device:
    status = _stat(source)
    if stat.S_ISCHR(status.st_mode):
        kind = "c"
    elif stat.S_ISBLK(status.st_mode):
        kind = "b"
    else:
        raise InvalidArgument(
            f'error gathering device information while adding custom device "{source}": not a device node'
        )
    return {
        "type": kind,
        "path": target,
        "major": os.major(status.st_rdev),
        "minor": os.minor(status.st_rdev),
        "fileMode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)
    except OSError as error:
        raise InvalidArgument(
            f'error gathering device information while adding custom device "{path}": '
            f"{(error.strerror or '').lower()}"
        ) from error
