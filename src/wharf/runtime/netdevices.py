"""Devices of the host's network that go into a container's (config-linux.md "Network Devices")."""

from __future__ import annotations

import os

from wharf.runtime.errors import StartFailed, during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.runtime.namespaces import NamespacePlan
    from wharf.spec.oci_runtime import Linux

_LONGEST_NAME: Final = 15


def plan(linux: Linux, namespaces: NamespacePlan) -> list[tuple[str, str]]:
    """Return (name here, name there) of each device.

    Raises:
        StartFailed: a name that cannot be one, or the container has the host's network.
    """
    devices = linux.get("netDevices") or {}
    if devices and not namespaces.has("network"):
        raise invalid("netDevices need a network namespace of the container's own")
    planned = [(name, (device or {}).get("name") or name) for name, device in devices.items()]
    for pair in planned:
        for name in pair:
            if not 0 < len(name) <= _LONGEST_NAME or name in (".", "..") or any(c in "/: \t\n\0" for c in name):
                raise invalid(f'"{name}" is not the name of a network device')
    return planned


def move(devices: list[tuple[str, str]], pid: int) -> None:
    """Move the devices into the network namespace of process ``pid``.

    Raises:
        StartFailed: which could not be moved. The kernel gives back what is hardware when the namespace goes.
    """
    if not devices:
        return
    from wharf.kernel import netdev  # noqa: PLC0415 - few containers have any

    target = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        for name, new_name in devices:
            try:
                netdev.move(name, new_name, target)
            except OSError as error:
                failed = during_init(error, f"error moving network device {name}")
                raise StartFailed("other", failed.message) from error
    finally:
        os.close(target)
