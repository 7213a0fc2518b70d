"""Start one more process in a running container (``docker exec``)."""

from __future__ import annotations

import os

from wharf.kernel import keyring, namespace, prctl, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.namespace import FILE_OF, FLAG_OF
from wharf.kernel.userns import inside as inside_user_namespace
from wharf.runtime import birth, console, filters, support
from wharf.runtime.birth import Gate, ProcessPlan
from wharf.runtime.errors import StartFailed, during_init
from wharf.runtime.invocation import Invocation
from wharf.runtime.privileges import Privileges
from wharf.runtime.started import Started
from wharf.runtime.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn, Self

    from wharf.runtime.birth import CgroupEntry, Doors
    from wharf.runtime.notify import Agent
    from wharf.spec.oci_runtime import Process, Seccomp, Spec, State

_NEWPID: Final = FLAG_OF["pid"]
_NEWTIME: Final = FLAG_OF["time"]
_NEWMOUNT: Final = FLAG_OF["mount"]
_NEWUSER: Final = FLAG_OF["user"]
_CHILDREN: Final = _NEWPID | _NEWTIME


def execute(
    process: Process,
    *,
    init_pid: int,
    spec: Spec,
    stdio: tuple[int, int, int] | None,
    cgroup: Doors | None,
    seccomp_cache: str | None,
    invocation: Invocation | None = None,
    born: int | None = None,
) -> Started:
    """Start ``process`` in the namespaces of the container's init; it runs when this returns.

    The caller is its parent and reaps it.

    Args:
        process: as in config.json.
        init_pid: a child of the caller's, so that its id cannot be used again meanwhile; or see ``born``.
        spec: the container's, for its seccomp filter.
        stdio: as for :func:`wharf.runtime.container.create`.
        cgroup: the container's.
        seccomp_cache: as for create.
        invocation: what else is asked for: its ``state`` and ``kept_fds``.
        born: when init began (``wharf.runtime.state.start_time``), of one that is nobody's child here.

    Raises:
        StartFailed: nothing of the process is left then.
    """
    steps = Steps()
    invocation = invocation or Invocation()
    plan = _plan(process, spec, seccomp_cache, invocation.state)
    stdio = None if process.get("terminal") else stdio
    here, there = unix_socket.pair()
    entry: CgroupEntry | None = None
    container = -1
    try:
        caller = os.getuid()
        container = os.pidfd_open(init_pid)
        join = _namespaces_of(init_pid, born)
        entry = None if cgroup is None else cgroup.open_entry()
        with _On(plan.tuning.initial):
            pid, pidfd = _clone(
                container, join & _CHILDREN, entry.v2 if entry is not None and entry.v2 >= 0 else None
            )
            if pid == 0:
                entered = _CHILDREN | (_NEWUSER if os.getuid() != caller else 0)
                inside = _Join(container, init_pid, join & ~entered, entry, invocation.kept_fds)
                _run(plan, Gate(there), stdio, inside, steps)
        steps.done("clone3")
    except OSError as error:
        here.close()
        reason = "container is not running" if isinstance(error, ProcessLookupError) else error.strerror
        raise StartFailed("other", f"unable to start container process: {reason}") from error
    except BaseException:
        here.close()
        raise
    finally:
        there.close()
        if entry is not None:
            entry.close()
        if container != -1:
            os.close(container)
    return _let_run(Started(pid, pidfd, here, steps, plan.warnings))


def _let_run(started: Started) -> Started:
    started.wait_ready()
    started.start()
    return started


def _plan(process: Process, spec: Spec, seccomp_cache: str | None, state: State | None) -> ProcessPlan:
    try:
        support.check_process(process)
        if process.get("terminal"):
            console.load()
        document = (spec.get("linux") or {}).get("seccomp")
        wanted = Privileges(process, *filters.load(document, seccomp_cache))
        wanted.agent = _agent(document, state) if document else None
        return ProcessPlan(process, wanted, spec.get("linux"), additional=True)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StartFailed("invalid", f"process is not as the specification says: {error!r}") from error


def _agent(document: Seccomp, state: State | None) -> Agent | None:
    from wharf.runtime import notify  # noqa: PLC0415 - start-up

    return notify.plan(document, state, "running")


def _namespaces_of(pid: int, born: int | None) -> int:
    """Return CLONE_NEW* of the namespaces that differ from ours: to join one's own user namespace is EINVAL.

    Raises:
        ProcessLookupError: the process has ended, and its id may be another's by now.
    """
    flags = 0
    for kind, name in FILE_OF.items():
        try:
            theirs, ours = os.stat(f"/proc/{pid}/ns/{name}"), os.stat(f"/proc/self/ns/{name}")
        except FileNotFoundError:  # a kernel without time namespaces
            if os.path.exists(f"/proc/{pid}/ns/mnt"):
                continue
            raise ProcessLookupError(f"process {pid} has no namespaces any more") from None
        if (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino):
            flags |= FLAG_OF[kind]
    if born is not None:
        _be_sure(pid, born)
    return flags


def _be_sure(pid: int, born: int) -> None:
    """See that ``pid`` is still init's id, so that all that was opened and read by it was init's.

    Raises:
        ProcessLookupError: it may not have been.
    """
    from wharf.runtime.state import start_time  # noqa: PLC0415 - start-up

    if start_time(pid) != born:
        raise ProcessLookupError(f"process {pid} is another by now")


def _clone(container: int, join: int, into: int | None) -> tuple[int, int]:
    """Fork into the pid and time namespaces ``join`` of the container; as clone3 returns.

    A plain user goes into the container's user namespace first, and is root there.
    """
    if os.geteuid() != 0:
        from wharf.runtime import userns  # noqa: PLC0415 - start-up

        return userns.clone_ahead(lambda: _become_root_of(container, join), 0, cgroup_fd=into)
    if join and inside_user_namespace():
        from wharf.runtime import userns  # noqa: PLC0415 - start-up

        return userns.clone_ahead(lambda: namespace.setns(container, join), 0, cgroup_fd=into)
    with _ChildrenIn(container, join) as entered:
        pid, pidfd = clone3(0, cgroup_fd=into)
        if pid == 0:
            entered.stay()
        return pid, pidfd


def _become_root_of(container: int, join: int) -> None:
    namespace.setns(container, _NEWUSER)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    if join:
        namespace.setns(container, join)


class _On:
    """While it lasts, we and so our children run on these CPUs; on none: where we do anyway."""

    __slots__ = ("_before", "_cpus")

    def __init__(self, cpus: frozenset[int]) -> None:
        self._cpus = cpus
        self._before: set[int] = set()

    def __enter__(self) -> None:
        if self._cpus:
            self._before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, self._cpus)

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)


class _ChildrenIn:
    """While it lasts, our children are born in these pid and time namespaces."""

    __slots__ = ("_back", "_flags", "_pidfd")

    def __init__(self, pidfd: int, flags: int) -> None:
        self._pidfd = pidfd
        self._flags = flags
        self._back: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        for flag, name in ((_NEWPID, "pid_for_children"), (_NEWTIME, "time_for_children")):
            if self._flags & flag:
                self._back.append((flag, os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)))
        if self._flags:
            try:
                namespace.setns(self._pidfd, self._flags)
            except BaseException:
                self.__exit__()
                raise
        return self

    def stay(self) -> None:
        """Do not go back: for the child, which was born there."""
        self._back.clear()

    def __exit__(self, *_: object) -> None:
        while self._back:
            flag, fd = self._back.pop()
            try:
                namespace.setns(fd, flag)
            finally:
                os.close(fd)


class _Join:
    """What the new process goes into: namespaces (CLONE_NEW*) of a pidfd, and a control group."""

    __slots__ = ("entry", "flags", "init_pid", "kept_fds", "pidfd")

    def __init__(self, pidfd: int, init_pid: int, flags: int, entry: CgroupEntry | None, kept_fds: int) -> None:
        self.pidfd = pidfd
        self.init_pid = init_pid
        self.kept_fds = kept_fds
        self.flags = flags
        self.entry = entry


def _run(
    plan: ProcessPlan,
    gate: Gate,
    stdio: tuple[int, int, int] | None,
    inside: _Join,
    steps: Steps,
) -> NoReturn:
    def body() -> None:
        steps.us.clear()
        birth.be_born(plan.handled, die_with_parent=True)
        birth.enter_group(inside.entry, plan.oom)
        pidfd, flags = inside.pidfd, inside.flags
        if stdio is not None:
            console.use_descriptors(stdio)
        birth.close_others((gate.sock.fileno(), pidfd, *range(3, 3 + inside.kept_fds)))
        os.setsid()
        plan.open()
        try:
            keyring.join_new_session()
            # With a mount namespace comes its root; without one of its own a container has only been put into its.
            outside = -1 if flags & _NEWMOUNT else os.open(f"/proc/{inside.init_pid}/root", os.O_PATH | os.O_CLOEXEC)
            if flags:
                namespace.setns(pidfd, flags)
            os.close(pidfd)
            if flags & _NEWUSER:
                os.setresgid(0, 0, 0)
                os.setresuid(0, 0, 0)
                prctl.set_dumpable(dumpable=False)  # see privileges.become
            if outside != -1:
                os.fchdir(outside)
                os.chroot(".")
            root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise during_init(error, "error joining the container's namespaces") from error
        steps.done("join")
        master = console.open_terminal(root, plan.size, console_file=False) if stdio is None else -1
        birth.finish(plan, root, gate, master, steps, kept_fds=inside.kept_fds)

    birth.run(lambda: gate.sock, body)
