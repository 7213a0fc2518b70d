"""Control groups made by systemd: a transient scope a container (org.freedesktop.systemd1, "StartTransientUnit").

A scope needs a process from its beginning. So a process that only waits is put into it; the container's init is
then born in its group as in any other, and the one that waited ends. The limits that systemd knows are its own, so
that it does not undo them; the group is delegated, and all of them are written into its files as ever. The scope ends
when its last process does.
"""

from __future__ import annotations

import os

from wharf.errors import InvalidArgument, Unavailable
from wharf.kernel import prctl
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.cgroup.units import expanded, limits
from wharf.kernel.clone import clone3
from wharf.kernel.dbus import CallFailed, Connection, bus_path
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn, Self

    from wharf.kernel.cgroup.units import Property
    from wharf.spec.oci_runtime import Resources

_NAME: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"
_MANAGER: Final = "org.freedesktop.systemd1.Manager"
_EXISTS: Final = "org.freedesktop.systemd1.UnitExists"
_GONE: Final = "org.freedesktop.systemd1.NoSuchUnit"
_TIMEOUT_S: Final = 30.0


class Unit:
    """A scope's name and slice, and the path of its control group."""

    __slots__ = ("name", "path", "slice")

    def __init__(self, name: str, slice_: str) -> None:
        self.name = name
        self.slice = slice_
        self.path = f"{expanded(slice_)}/{name}"

    def __repr__(self) -> str:
        return f"{self.slice} {self.name} {self.path}"


def unit_of(cgroups_path: str, container_id: str) -> Unit:
    """Return what "slice:prefix:name" means (runc, docs/systemd.md); an empty path is system.slice:wharf:ID.

    Raises:
        InvalidArgument: it has not three parts, or its slice is none.
    """
    parts = (cgroups_path or f":wharf:{container_id}").split(":")
    if len(parts) != 3:
        raise InvalidArgument(
            f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{cgroups_path}"'
        )
    slice_, prefix, name = parts
    if not name or "/" in name or "/" in prefix:
        raise InvalidArgument(f'cgroupsPath "{cgroups_path}" names no unit')
    try:
        return Unit(f"{prefix}-{name}.scope" if prefix else f"{name}.scope", slice_ or "system.slice")
    except ValueError as error:
        raise InvalidArgument(str(error)) from error


def properties(unit: Unit, pid: int, resources: Resources) -> list[Property]:
    """Return a scope's properties (org.freedesktop.systemd1(5)), with those limits that systemd knows."""
    found: list[Property] = [
        ("Description", ("s", f"container {unit.name}")),
        ("Slice", ("s", unit.slice)),
        ("PIDs", ("au", [pid])),
        ("Delegate", ("b", True)),
        ("DefaultDependencies", ("b", False)),
        *((f"{kind}Accounting", ("b", True)) for kind in ("Memory", "CPU", "Tasks", "IO")),
    ]
    return [*found, *limits(resources)]


class Scope:
    """A running scope, held by a process that waits: ``with Scope(unit, resources): create the container``."""

    __slots__ = ("_pid", "_pidfd", "_resources", "_unit")

    def __init__(self, unit: Unit, resources: Resources) -> None:
        self._unit = unit
        self._resources = resources
        self._pid = self._pidfd = -1

    @property
    def path(self) -> str:
        """The control group's."""
        return self._unit.path

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            Unavailable: systemd is not there, or refuses.
        """
        parent = os.getpid()
        self._pid, self._pidfd = clone3(0)
        if self._pid == 0:
            _wait_as_long_as(parent)
        try:
            start(self._unit, properties(self._unit, self._pid, self._resources), bus_path(os.environ))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress_errno(3):  # ESRCH
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        os.close(self._pidfd)


def _wait_as_long_as(parent: int) -> NoReturn:
    prctl.set_parent_death_signal(signal.SIGKILL)
    while os.getppid() == parent:  # else it ended before it could be told of
        signal.pause()
    os._exit(0)


def start(unit: Unit, with_properties: list[Property], path: str) -> None:
    """Start a transient scope by the bus at ``path``, and wait until it is.

    One of that name that nobody is in any more, and that systemd has not forgotten yet, is ended first: a container
    is started again at once.

    Raises:
        Unavailable: nobody is there, it is refused, or the job fails.
    """
    body = [unit.name, "replace", with_properties, []]
    try:
        with Connection(path, timeout_s=_TIMEOUT_S) as systemd:
            systemd.join_bus()
            systemd.want_signals(_MANAGER, "JobRemoved")
            systemd.call(_NAME, _PATH, _MANAGER, "Subscribe", "", [])
            try:
                result = _job(systemd, "StartTransientUnit", "ssa(sv)a(sa(sv))", body)
            except CallFailed as error:
                if error.name != _EXISTS or _is_used(unit):
                    raise
                _forget(systemd, unit)
                result = _job(systemd, "StartTransientUnit", "ssa(sv)a(sa(sv))", body)
    except CallFailed as error:
        raise Unavailable(f"systemd does not start {unit.name}: {error}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unavailable(f"systemd cannot be asked for {unit.name} by {path}: {reason}") from error
    if result != "done":
        raise Unavailable(f"systemd does not start {unit.name}: its job ended with {result!r}")


def _job(systemd: Connection, member: str, signature: str, body: list[Any]) -> str:
    """Have a job done, and return how it ended."""
    (job,) = systemd.call(_NAME, _PATH, _MANAGER, member, signature, body)
    while True:
        _, removed, _, result = systemd.wait("JobRemoved")
        if removed == job:
            return str(result)


def _is_used(unit: Unit) -> bool:
    group = open_cgroup(unit.path)
    return group.exists and bool(group.procs())


def _forget(systemd: Connection, unit: Unit) -> None:
    try:
        _job(systemd, "StopUnit", "ss", [unit.name, "replace"])
        systemd.call(_NAME, _PATH, _MANAGER, "ResetFailedUnit", "s", [unit.name])
    except CallFailed as error:
        if error.name != _GONE:
            raise
