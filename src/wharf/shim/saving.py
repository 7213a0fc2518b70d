"""Saving an engine's container and bringing it back, as dockerd has runc do it."""

from __future__ import annotations

from wharf.errors import Unavailable
from wharf.runtime.checkpoint import Wanted
from wharf.shim.control import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.shim.runtime import Runtime, Started, Stdio
    from wharf.spec.oci_runtime import Spec
    from wharf.spec.shim_messages import SpawnRequest


def wanted(images: str, *, leave_running: bool = False) -> Wanted:
    """Return the options for the folder ``images``.

    Connections and locks are saved too. Control groups are not: the engine makes and limits them.
    """
    asked = Wanted(images, leave_running=leave_running, tcp_established=True, file_locks=True, ext_unix_sk=True)
    asked.cgroups = "ignore"
    return asked


def save(runtime: Runtime, spec: Spec, pid: int, cgroup: Cgroup, message: dict[str, Any]) -> None:
    """Do the request "checkpoint" for the container of init ``pid``.

    Raises:
        Refused: it could not be done; the container goes on.
    """
    asked = wanted(message["images"], leave_running=message["leave_running"])
    try:
        runtime.dump(spec, pid, asked, freezer=cgroup.freezer_folder)
    except (runtime.StartFailed, Unavailable, OSError) as error:
        raise refused(str(error)) from error


def restore(runtime: Runtime, request: SpawnRequest, spec: Spec, stdio: Stdio | None, cgroup: Cgroup) -> Started:
    """Bring back what the request's ``checkpoint`` holds; it runs then.

    Raises:
        StartFailed: it could not be brought back.
    """
    try:
        return runtime.restore(
            spec,
            wanted(request["checkpoint"]),
            bundle=request["bundle"],
            rootfs_mounts=request["rootfs"],
            stdio=stdio,
            cgroup=cgroup,
        )
    except Unavailable as error:
        raise runtime.StartFailed("other", str(error)) from error
