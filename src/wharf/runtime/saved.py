"""checkpoint and restore of containers that outlive the command, beside the other operations."""

from __future__ import annotations

import os

from wharf.errors import Conflict, Forbidden
from wharf.kernel.cgroup.group import open_cgroup
from wharf.runtime import caller, checkpoint, creation, operations, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.caller import Asked, Warn
    from wharf.runtime.checkpoint import Wanted
    from wharf.runtime.started import Started
    from wharf.runtime.state import Folder, Record
    from wharf.spec.oci_runtime import Spec


def save(folder: Folder, wanted: Wanted, warn: Warn) -> None:
    """Save a running container, and delete it, unless it is left running.

    Raises:
        Conflict: it does not run.
        StartFailed: CRIU could not do it; the container goes on.
        Unavailable: there is no CRIU.
    """
    record = folder.load()
    status = folder.status(record)
    if status not in ("running", "paused"):
        raise Conflict(f"cannot checkpoint a container that is not running: {status}")
    group = open_cgroup(record["cgroup"])
    checkpoint.dump(folder.spec(), record["pid"], wanted, freezer=group.freezer_folder)
    if not (wanted.leave_running or wanted.pre_dump):
        operations.delete(folder, warn, force=True)


def bring_back(folder: Folder, bundle: str, asked: Asked, wanted: Wanted) -> int:
    """Create a container from what was saved; unless detached, wait for it, delete it, and return its exit code.

    Raises:
        Conflict: the id is taken.
        StartFailed: CRIU could not do it; nothing of the container is left.
        Unavailable: there is no CRIU.
    """
    started = _restore(folder, os.path.realpath(bundle), asked, wanted)
    try:
        if asked.detach:
            return 0
        return operations.follow(started, operations.Forward(started.pid))
    finally:
        if not asked.detach:
            operations.delete(folder, asked.warn, force=True)


def _group_of(record: Record, spec: Spec) -> Cgroup:
    group = creation.make_cgroup(open_cgroup(record["cgroup"]), spec)
    if group is None:
        raise Forbidden("a saved container needs a control group of your own")
    return group


def _restore(folder: Folder, bundle: str, asked: Asked, wanted: Wanted) -> Started:
    spec = creation.load_spec(bundle)
    caller.check_console(spec.get("process") or {}, asked)
    cgroup = creation.cgroup_path(spec, folder.id)
    creation.refuse_others(open_cgroup(cgroup))
    record = folder.make(spec, bundle, cgroup)
    try:
        group = _group_of(record, spec)
        started = checkpoint.restore(spec, wanted, bundle=bundle, rootfs_mounts=(), stdio=(0, 1, 2), cgroup=group)
        try:
            if rdt := (spec.get("linux") or {}).get("intelRdt"):
                record["resctrl"] = creation.enter_class(rdt, folder.id, started.pid)
            caller.announce(started, asked)
            record["pid"], record["start_time"] = started.pid, state.start_time(started.pid) or 0
            folder.save(record)
        except BaseException:
            started.abort()
            raise
    except BaseException:
        operations.remove(folder, record, spec, asked.warn)
        raise
    return started
