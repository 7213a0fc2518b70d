"""Control groups that systemd makes (exec-opt native.cgroupdriver=systemd): a scope a container.

The container's shim asks for the scope when it starts (:mod:`wharf.shim.scope`). Here is what it is called, whether
there is a systemd at all, and how systemd is told of limits that change.
"""

from __future__ import annotations

import os
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere, Unavailable
from wharf.kernel.cgroup import units
from wharf.kernel.dbus import CallFailed, Connection, bus_path
from wharf.spec.oci_runtime import Resources

DRIVER: Final = "systemd"
_NAME: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"
_MANAGER: Final = "org.freedesktop.systemd1.Manager"
_TIMEOUT_S: Final = 10.0


def check_parent(parent: str) -> None:
    """Raise InvalidArgument, in Docker's words, when a container's scope cannot be in ``parent``. Pure."""
    try:
        units.expanded(parent)
    except ValueError as error:
        raise InvalidArgument(
            'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"'
        ) from error


def scope_of(parent: str, key: str, container_id: str) -> str:
    """Return a container's scope as "slice:prefix:name" (runc, docs/systemd.md). Pure.

    Without a ``parent`` it is in the slice of the engine with data root ``key``, as its groups are without systemd.
    """
    return f"{parent or f'wharf-{key}.slice'}:wharf:{container_id}"


def slices_of(key: str) -> list[str]:
    """Return the paths of the groups of the slices of the engine with data root ``key``, outer ones first. Pure."""
    inner = units.expanded(f"wharf-{key}.slice")
    return [os.path.dirname(inner), inner]


def path_of(scope: str) -> str:
    """Return the path of a scope's control group. Pure."""
    slice_, prefix, name = scope.split(":")
    return f"{units.expanded(slice_)}/{prefix}-{name}.scope"


def require_systemd(*, rootless: bool = False) -> None:
    """Ask systemd whether it is there. Blocks.

    Args:
        rootless: for a plain user, whose own systemd an engine in a user namespace cannot prove who it is to.

    Raises:
        NotImplementedHere: it is not.
    """
    if rootless:
        raise NotImplementedHere("native.cgroupdriver=systemd: a plain user's engine makes its control groups itself")
    path = bus_path(os.environ)
    try:
        with Connection(path, timeout_s=_TIMEOUT_S) as bus:
            bus.join_bus()
            bus.call(_NAME, _PATH, "org.freedesktop.DBus.Peer", "Ping", "", [])
    except (CallFailed, OSError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise NotImplementedHere(
            "native.cgroupdriver=systemd: systemd support for managing cgroups is not available: "
            f"{path} does not answer: {reason.lower()}; leave the option out, and control groups are made without it"
        ) from error


def tell(scope: str, resources: Resources) -> None:
    """Tell systemd a running scope's new limits, which it would undo when it reads its units again. Blocks.

    Raises:
        Unavailable: it is not there, or refuses.
    """
    _, prefix, name = scope.split(":")
    unit = f"{prefix}-{name}.scope"
    try:
        with Connection(bus_path(os.environ), timeout_s=_TIMEOUT_S) as bus:
            bus.join_bus()
            body = [unit, True, units.limits(resources)]  # until the machine's next boot: a scope has no file
            bus.call(_NAME, _PATH, _MANAGER, "SetUnitProperties", "sba(sv)", body)
    except (CallFailed, OSError) as error:
        raise Unavailable(f"systemd does not change the limits of {unit}: {error}") from error
