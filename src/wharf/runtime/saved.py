"""checkpoint and restore of containers that outlive the command, beside the other operations."""

from __future__ import annotations

import os
import stat

from wharf.errors import Conflict, Forbidden
from wharf.kernel.cgroup.group import open_cgroup
from wharf.runtime import caller, checkpoint, creation, delegation, operations, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.caller import Asked, Warn
    from wharf.runtime.checkpoint import Wanted
    from wharf.runtime.started import Started
    from wharf.runtime.state import Folder, Record
    from wharf.spec.oci_runtime import Spec

_GROUP_ALL: Final = 0o070
_GROUP_SEARCH: Final = 0o010
_OTHERS_SEARCH: Final = 0o001


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


class Reachable:
    """Lets the root of a user namespace search a folder meanwhile, by its group: CRIU opens files as that."""

    __slots__ = ("_before", "_group", "_path")

    def __init__(self, path: str, spec: Spec) -> None:
        self._path = path
        self._group = delegation.on_host(0, (spec.get("linux") or {}).get("gidMappings") or ())
        self._before: os.stat_result | None = None

    def __enter__(self) -> None:
        status = os.stat(self._path)
        if self._group is not None and not status.st_mode & _OTHERS_SEARCH:
            os.chown(self._path, -1, self._group)
            os.chmod(self._path, stat.S_IMODE(status.st_mode) & ~_GROUP_ALL | _GROUP_SEARCH)
            self._before = status

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            os.chmod(self._path, stat.S_IMODE(self._before.st_mode))
            os.chown(self._path, -1, self._before.st_gid)


def _restore(folder: Folder, bundle: str, asked: Asked, wanted: Wanted) -> Started:
    spec = creation.load_spec(bundle)
    caller.check_console(spec.get("process") or {}, asked)
    cgroup = creation.cgroup_path(spec, folder.id)
    creation.refuse_others(open_cgroup(cgroup))
    record = folder.make(spec, bundle, cgroup)
    try:
        group = _group_of(record, spec)
        with Reachable(wanted.images, spec):
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
