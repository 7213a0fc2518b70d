"""A container in a scope of systemd's, which the shim asks for (native.cgroupdriver=systemd)."""

from __future__ import annotations

from wharf.errors import WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.systemd import Scope
    from wharf.spec.oci_runtime import Spec
    from wharf.spec.shim_messages import SpawnRequest


class Within:
    """Within, the scope that a request names is there for the container's init; without one, nothing is different.

    systemd makes the group. It is completed where systemd makes none, and with the limits that systemd does not know.
    """

    __slots__ = ("_cgroup", "_read", "_request", "_scope")

    def __init__(self, request: SpawnRequest, read_document: Callable[[], Spec], cgroup: Cgroup) -> None:
        self._request = request
        self._read = read_document
        self._cgroup = cgroup
        self._scope: Scope | None = None

    def __enter__(self) -> Self:
        """Have it started.

        Raises:
            OSError: systemd is not there or refuses, or the kernel a limit.
        """
        if "scope" not in self._request:
            return self
        from wharf.runtime import systemd  # noqa: PLC0415  # memory: most engines make their groups themselves

        resources = (self._read().get("linux") or {}).get("resources") or {}
        scope = systemd.Scope(systemd.unit_of(self._request["scope"], self._request["id"]), resources)
        try:
            self._scope = scope.__enter__()
            self._cgroup.create()
            self._cgroup.apply(resources)
        except WharfError as error:
            raise OSError(str(error)) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it: it lasts as long as the container's processes do."""
        scope, self._scope = self._scope, None
        if scope is not None:
            scope.__exit__()
