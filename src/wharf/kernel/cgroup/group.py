"""One control group in every hierarchy: made, limited, filled, measured, emptied, removed.

A controller mounted on v1 is used there; only what is missing there is used on v2. The group exists in all
hierarchies all the same, so that the kernel can kill it as a whole on v2 (``cgroup.kill``, 5.14+).

Moving another process by its id takes the kernel's global thread-group lock and waits for an RCU grace period
(some 5 to 10 ms on an idle machine). A process that enters by itself does not: see :meth:`Cgroup.open_entry`.
"""

from __future__ import annotations

import errno
import os
import time

from wharf.kernel.cgroup import files
from wharf.kernel.cgroup.entry import Entry
from wharf.kernel.cgroup.hierarchy import Hierarchies, read_hierarchies
from wharf.kernel.signals import raw as signal
from wharf.kernel.userns import inside as inside_user_namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wharf.kernel.cgroup.details import Details
    from wharf.kernel.cgroup.measure import Use
    from wharf.kernel.cgroup.resources import DeviceRule, Resources
    from wharf.kernel.cgroup.v1 import Writes

_ESSENTIAL = frozenset({"cpu", "devices", "freezer", "memory", "pids"})
_DELETE_TIMEOUT_S = 2.0
_FREEZE_TIMEOUT_S = 10.0
_POLL_S = 0.001


def open_cgroup(path: str, hierarchies: Hierarchies | None = None) -> Cgroup:
    """Return the group ``path`` (absolute in each hierarchy); nothing is created.

    Args:
        path: for example /wharf/<key>/<id>; never the root.
        hierarchies: what is mounted, when the caller knows; read now if not.

    Raises:
        OSError: EINVAL: not an absolute, plain path below the root.
    """
    parts = path.split("/")
    if parts[0] or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts[1:]):
        raise OSError(errno.EINVAL, "not an absolute path of a control group below the root", path)
    return Cgroup(path, hierarchies or read_hierarchies())


class Cgroup:
    """A group by its path; holds no descriptor, so it is also a handle on a group someone else made."""

    __slots__ = ("_hierarchies", "path")

    def __init__(self, path: str, hierarchies: Hierarchies) -> None:
        self.path = path
        self._hierarchies = hierarchies

    @property
    def exists(self) -> bool:
        """Whether the group exists in any hierarchy."""
        return any(os.path.isdir(root + self.path) for root in self._hierarchies.roots)

    def lets_enter(self, resources: Resources) -> bool:
        """Return whether a process that is there already can enter by itself at no cost.

        On v1 it can. To enter v2 costs what :meth:`add` costs, so it stays outside: that will do where v1 has all
        the controllers that ``resources`` and a container's life need.
        """
        needed = set(_ESSENTIAL)
        if resources.get("hugepageLimits"):
            needed.add("hugetlb")
        return needed <= self._hierarchies.v1.keys() and not resources.get("unified")

    def create(self) -> None:
        """Create the group and its parents in every hierarchy; idempotent; undone by :meth:`delete`.

        Raises:
            OSError: with the folder.
        """
        cpuset = self._hierarchies.v1.get("cpuset")
        for root in self._hierarchies.roots:
            if root == cpuset:
                files.create_cpuset(root, self.path)
            elif root == self._hierarchies.v2:
                files.create_unified(root, self.path, self._v2_wanted())
            else:
                files.make_folders(root, self.path)

    def apply(self, resources: Resources) -> None:
        """Write the limits; what is absent stays as it is.

        Rules for devices are left out in a user namespace: they are the machine's root's to set.

        Raises:
            OSError: with the file and the value; EOPNOTSUPP where no mounted hierarchy can do it; EBUSY when
                ``checkBeforeUpdate`` is set and the use is above the limit.
        """
        memory = resources.get("memory")
        if memory and memory.get("checkBeforeUpdate") and 0 < memory.get("limit", 0) < self._memory_use():
            raise OSError(errno.EBUSY, f"memory in use is above the new limit {memory['limit']}", self.path)
        if resources:
            from wharf.kernel.cgroup.plan import plan  # noqa: PLC0415 - start-up

            for writes in plan(resources, self._hierarchies.v1, quota=self._present_quota, is_file=self._is_file):
                self._write_all(writes)
        if "devices" not in self._hierarchies.v1 and (rules := resources.get("devices")):
            self._restrict_devices(rules)

    def _restrict_devices(self, rules: Iterable[DeviceRule]) -> None:
        """Let a program decide, as v2 wants it. Root of a user namespace, who makes no devices, needs none."""
        if inside_user_namespace():
            return
        if self._hierarchies.v2 is None:
            raise OSError(errno.EOPNOTSUPP, "no control group controller devices here", "devices")
        from wharf.kernel.cgroup import devices  # noqa: PLC0415 - start-up

        devices.restrict(self._hierarchies.v2 + self.path, rules)

    def open_entry(self) -> Entry:
        """Open the doors for a process about to be cloned; the caller closes them.

        Raises:
            OSError: with the file.
        """
        entry = Entry([], -1)
        try:
            for root in self._hierarchies.roots:
                if root == self._hierarchies.v2:
                    entry.v2 = os.open(root + self.path, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC)
                else:
                    entry.v1.append(os.open(f"{root}{self.path}/tasks", os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            entry.close()
            raise
        return entry

    def open_mounts(self) -> list[tuple[str, int]]:
        """Return the name of each v1 hierarchy (that of its mount point) and a detached mount of the group in it.

        The caller owns the descriptors. A pure v2 has none: there a cgroup namespace shows a container its own.

        Raises:
            OSError: with the folder.
        """
        from wharf.kernel import mount  # noqa: PLC0415 - start-up

        opened: list[tuple[str, int]] = []
        try:
            for root in dict.fromkeys(self._hierarchies.v1.values()):
                opened += [(os.path.basename(root), mount.open_tree(root + self.path))]
        except OSError:
            for _, fd in opened:
                os.close(fd)
            raise
        return opened

    def add(self, pid: int) -> None:
        """Move process ``pid`` in, with all its threads; 0 is the caller. Slow: see the module.

        Raises:
            OSError: with the file and the pid; ESRCH when it has exited.
        """
        for root in self._hierarchies.roots:
            files.write(f"{root}{self.path}/cgroup.procs", str(pid))

    def procs(self) -> list[int]:
        """Return the ids of all processes in the group and below it, sorted; none when it does not exist."""
        pids: set[int] = set()
        for root in self._hierarchies.roots:
            for folder in files.tree(root + self.path):
                pids.update(files.procs(folder))
        return sorted(pids)

    def kill_all(self) -> bool:
        """Send SIGKILL to every process in the group and below it, also when frozen; return whether any was left.

        They are dying when this returns, not gone: :meth:`delete` waits.
        """
        killed = bool(self.procs())
        if self._hierarchies.v2 is not None:
            files.write_if_there(f"{self._hierarchies.v2}{self.path}/cgroup.kill", "1")
        for _ in range(100):  # a fork bomb may outrun one pass
            pids = self.procs()
            if not pids:
                break
            killed = True
            if not self._kill(pids):
                break
        self._thaw_if_frozen()
        return killed

    @property
    def freezer_folder(self) -> str:
        """The folder by which the group is frozen; "" where it cannot be."""
        root = self._hierarchies.v1.get("freezer") or self._hierarchies.v2
        return root + self.path if root else ""

    def freeze(self) -> None:
        """Stop every process in the group and wait until all have stopped.

        Raises:
            OSError: EOPNOTSUPP without a freezer; ENOENT when the group has gone; ETIMEDOUT when some process did
                not stop in 10 seconds (the group is thawed again).
        """
        self._set_frozen(frozen=True)
        deadline = time.monotonic() + _FREEZE_TIMEOUT_S
        while not self.frozen():
            if not os.path.isdir(self.freezer_folder):
                raise OSError(errno.ENOENT, "the group has gone", self.path)
            if time.monotonic() > deadline:
                self._set_frozen(frozen=False)
                raise OSError(errno.ETIMEDOUT, "processes did not freeze", self.path)
            time.sleep(_POLL_S)

    def thaw(self) -> None:
        """Let a frozen group go on; idempotent, and done where there is no group any more: v2 kills what is frozen.

        Raises:
            OSError: EOPNOTSUPP without a freezer.
        """
        self._set_frozen(frozen=False)

    def frozen(self) -> bool:
        """Return whether all processes have stopped by :meth:`freeze`."""
        if "freezer" in self._hierarchies.v1:
            return (self._read("freezer.state") or "").strip() == "FROZEN"
        from wharf.kernel.cgroup import measure  # noqa: PLC0415 - start-up

        return measure.pairs(self._read("cgroup.events")).get("frozen") == 1

    def stats(self) -> Use:
        """Measure; what no mounted controller counts is zero or empty."""
        from wharf.kernel.cgroup import measure  # noqa: PLC0415 - start-up

        return measure.use(self._read, self._hierarchies.v1)

    def details(self) -> Details:
        """Measure what :meth:`stats` does not."""
        from wharf.kernel.cgroup import details  # noqa: PLC0415 - few ask

        return details.details(self._read, self._hierarchies.v1)

    def oom_kill_count(self) -> int:
        """Return how many processes of the group the kernel has killed for want of memory; 0 when unknown."""
        from wharf.kernel.cgroup import measure  # noqa: PLC0415 - start-up

        file = "memory.oom_control" if "memory" in self._hierarchies.v1 else "memory.events"
        return measure.pairs(self._read(file)).get("oom_kill", 0)

    def open_oom_watch(self) -> tuple[int, int]:
        """Return a descriptor, owned by the caller, that polls ready when memory lacks, and the event to poll for.

        Under v1 it is an eventfd (EPOLLIN; read it), under v2 memory.events (EPOLLPRI; read it from its beginning).

        Raises:
            OSError: with the file; EOPNOTSUPP without a memory controller.
        """
        import select  # noqa: PLC0415 - start-up

        if "memory" not in self._hierarchies.v1:
            return os.open(self._file("memory.events"), os.O_RDONLY | os.O_CLOEXEC), select.EPOLLPRI
        watch = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            source = os.open(self._file("memory.oom_control"), os.O_RDONLY | os.O_CLOEXEC)
            try:
                files.write(f"{self._hierarchies.v1['memory']}{self.path}/cgroup.event_control", f"{watch} {source}")
            finally:
                os.close(source)
        except BaseException:
            os.close(watch)
            raise
        return watch, select.EPOLLIN

    def delete(self) -> None:
        """Remove the group and all below it from every hierarchy; idempotent. Waits up to 2 s for the dying.

        Raises:
            OSError: EBUSY, with the folder: processes are still in it.
        """
        self._delete(time.monotonic() + _DELETE_TIMEOUT_S)

    def delete_empty(self) -> bool:
        """Remove the group, which has no processes or groups of its own; else return False, maybe half-way."""
        return all(files.remove_if_empty(root + self.path) for root in self._hierarchies.roots)

    def delete_now(self) -> None:
        """Remove the group as :meth:`delete` does, but wait for nothing.

        Raises:
            OSError: EBUSY, with the folder: processes are still in it, or dying.
        """
        self._delete(0.0)

    def _delete(self, deadline: float) -> None:
        for root in self._hierarchies.roots:
            files.remove_tree(root + self.path, deadline)

    def _write_all(self, writes: Writes) -> None:
        """Write the pairs in order; those the kernel calls invalid are tried again after the others.

        memory and memsw, or period, quota and burst, bound each other: which must move first depends on what is
        there now, and the kernel knows it best.
        """
        pending, writer = writes, files.Writer()
        try:
            while pending:
                refused: list[tuple[str, str, OSError]] = []
                for file, value in pending:
                    try:
                        writer.write(self._file(file, value), value)
                    except OSError as error:
                        if error.errno != errno.EINVAL:
                            raise
                        refused.append((file, value, error))
                if len(refused) == len(pending):
                    raise refused[0][2]
                pending = [(file, value) for file, value, _ in refused]
        finally:
            writer.close()

    def _file(self, file: str, value: str = "") -> str:
        """Return the full path of a group's file, on v1 when its controller is mounted there.

        Raises:
            OSError: EOPNOTSUPP: no hierarchy has its controller.
        """
        controller = file.partition(".")[0]
        root = self._hierarchies.v1.get(controller)
        if root is None and (controller in self._hierarchies.v2_controllers or controller == "cgroup"):
            root = self._hierarchies.v2
        if root is None:
            raise OSError(errno.EOPNOTSUPP, f"no control group controller {controller} here to write {value!r}", file)
        return f"{root}{self.path}/{file}"

    def _read(self, file: str) -> str | None:
        """Return a file's text, or None when the group, the file or its controller is not there."""
        try:
            return files.read(self._file(file))  # EOPNOTSUPP: pressure, with psi=0
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV}:
                return None
            raise

    def _is_file(self, file: str) -> bool:
        return self._read(file) is not None

    def _memory_use(self) -> int:
        return self.stats()["memory"]["usage_bytes"]

    def _present_quota(self) -> str:
        words = (self._read("cpu.max") or "max").split()
        return words[0] if words else "max"

    def _v2_wanted(self) -> list[str]:
        on_v1 = {"io" if name == "blkio" else name for name in self._hierarchies.v1}
        return sorted(self._hierarchies.v2_controllers - on_v1)

    def _kill(self, pids: list[int]) -> bool:
        """Kill those of ``pids`` still in the group once their identity is pinned; return whether any was."""
        pinned: dict[int, int] = {}
        try:
            for pid in pids:
                _unless_gone(lambda pid=pid: pinned.__setitem__(pid, os.pidfd_open(pid)))  # type: ignore[misc]
            present = set(self.procs()) & pinned.keys()
            for pid in present:
                _unless_gone(lambda pid=pid: signal.pidfd_send_signal(pinned[pid], signal.SIGKILL))  # type: ignore[misc]
        finally:
            for fd in pinned.values():
                os.close(fd)
        self._thaw_if_frozen()
        return bool(present)

    def _thaw_if_frozen(self) -> None:
        """A process frozen by v1 does not even die."""
        root = self._hierarchies.v1.get("freezer")
        if root is not None:
            files.write_if_there(f"{root}{self.path}/freezer.state", "THAWED")

    def _set_frozen(self, *, frozen: bool) -> None:
        write = files.write if frozen else files.write_if_there
        if "freezer" in self._hierarchies.v1:
            write(self._file("freezer.state"), "FROZEN" if frozen else "THAWED")
        elif self._hierarchies.v2 is not None:
            write(self._file("cgroup.freeze"), "1" if frozen else "0")
        else:
            raise OSError(errno.EOPNOTSUPP, "no control group freezer here", self.path)


def _unless_gone(act: Callable[[], None]) -> None:
    try:
        act()
    except ProcessLookupError:
        return
