"""The operations of the runtime specification (runtime.md "Operations") on containers that outlive the command."""

from __future__ import annotations

import os

from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.kernel import pidfd, unix_socket
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.runtime import caller, conversation, state
from wharf.runtime.errors import NO_PROCESS, StartFailed
from wharf.runtime.invocation import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.birth import Doors
    from wharf.runtime.caller import Asked, Warn
    from wharf.runtime.hooks import HookPlan
    from wharf.runtime.started import Started
    from wharf.runtime.state import Folder, Record
    from wharf.spec.oci_runtime import Process, Spec

_FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_BY_SIGNAL = 128


def start(folder: Folder, warn: Warn) -> None:
    """Let init execute the container's program.

    Raises:
        Conflict: it is not created, but something else.
        StartFailed: the exec failed, and the container has stopped; or a hook did, and the container is deleted.
    """
    record = folder.load()
    status = folder.status(record)
    if status != "created":
        raise Conflict(
            f"cannot start a container that has {'stopped' if status == 'stopped' else f'status {status}'}"
        )
    let_execute(folder, record, folder.spec(), lambda: _open_gate(folder), warn)


def _open_gate(folder: Folder) -> None:
    sock = unix_socket.connect(folder.socket)
    try:
        os.unlink(folder.socket)
        conversation.send(sock, "start")
        conversation.receive(sock)
    finally:
        sock.close()


def let_execute(folder: Folder, record: Record, spec: Spec, execute: Callable[[], None], warn: Warn) -> None:
    """Have ``execute`` start the program, and run the hooks that follow.

    Raises:
        StartFailed: as for :func:`start`.
    """
    try:
        execute()
        if spec.get("hooks"):
            _hooks(folder, record, spec).run("poststart", record["pid"])
    except StartFailed as error:
        # How an error is shown is left open (runtime.md "Errors"). crun's start succeeds, and the official suite
        # counts on it: the container has stopped all the same, and the log says why.
        if error.message == NO_PROCESS:
            warn(error.message)
            return
        if spec.get("hooks"):
            delete(folder, warn, force=True)
        raise


def follow(started: Started, forward: Forward) -> int:
    """Wait for the process, and meanwhile show its terminal when nobody else was handed it; return the exit code."""
    if started.console is not None:
        from wharf.runtime import foreground  # noqa: PLC0415 - start-up

        foreground.relay(started.console)
    return forward.wait()


class Forward:
    """Wait for a child, and hand the signals that come meanwhile on to it."""

    __slots__ = ("_pid",)

    def __init__(self, pid: int) -> None:
        self._pid = pid
        for number in _FORWARDED:
            signal.signal(number, self._forward)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        with suppress_errno(3):  # ESRCH
            os.kill(self._pid, number)

    def wait(self) -> int:
        """Return its exit code; it is reaped."""
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return code if code >= 0 else _BY_SIGNAL - code


def kill(folder: Folder, number: int, *, all_: bool) -> None:
    """Send signal ``number`` to init, or to all processes of the container.

    Raises:
        Conflict: it does not run.
    """
    record = folder.load()
    group = folder.group(record["cgroup"])
    if all_:
        for pid in group.procs():
            with suppress_errno(3):  # ESRCH
                os.kill(pid, number)
        return
    if folder.status(record) in ("creating", "stopped"):
        raise Conflict("container not running")
    _signal_init(record, number, group)


def _signal_init(record: Record, number: int, group: Cgroup) -> None:
    try:
        fd = pidfd.pidfd_open(record["pid"])
    except ProcessLookupError:
        return
    try:
        if state.start_time(record["pid"]) == record["start_time"]:  # the pidfd is of the process we mean
            with suppress_errno(3):  # ESRCH
                pidfd.send_signal(fd, number)
        if number == signal.SIGKILL:
            if group.frozen():
                group.thaw()  # what v1 has frozen does not even die
            pidfd.has_exited(fd, timeout_s=10)
    finally:
        os.close(fd)


def delete(folder: Folder, warn: Warn, *, force: bool) -> None:
    """Remove what is left of a container, then run its poststop hooks.

    Raises:
        Conflict: it has not stopped, and ``force`` is not given.
        NotFound: no such container, and ``force`` is not given.
    """
    try:
        record = folder.load()
    except NotFound:
        if not force:
            raise
        with suppress_errno(2):  # ENOENT
            folder.remove()
        return
    status = folder.status(record)
    if status != "stopped" and not force:
        raise Conflict(f'cannot delete container "{folder.id}" that is not stopped: {status}')
    if status in ("created", "running", "paused"):
        _signal_init(record, signal.SIGKILL, folder.group(record["cgroup"]))
    remove(folder, record, folder.spec(), warn)


def remove(folder: Folder, record: Record, spec: Spec, warn: Warn) -> None:
    """Remove a container whose init has ended, or must, and run its poststop hooks."""
    group = folder.group(record["cgroup"])
    if not group.delete_empty():
        group.kill_all()
        group.delete()
    if folders := record.get("resctrl"):
        from wharf.runtime import resctrl  # noqa: PLC0415 - few have any: start-up

        resctrl.leave(folders)
    folder.remove()
    if spec.get("hooks"):
        try:
            _hooks(folder, record, spec).run_all("poststop", 0, warn)
        except StartFailed as error:  # not as specified: a create that was killed had not yet looked at them
            warn(error.message)


def _hooks(folder: Folder, record: Record, spec: Spec) -> HookPlan:
    from wharf.runtime import hooks  # noqa: PLC0415 - few have any: start-up

    return hooks.plan(spec["hooks"], folder.told(record))


def exec_(folder: Folder, process: Process, asked: Asked, *, cgroup: Mapping[str, str], ignore_paused: bool) -> int:
    """Run one more process; return its exit code, 0 at once when detached.

    Args:
        folder: the container's.
        process: what to run.
        asked: as the command line has it.
        cgroup: paths of groups below the container's, which must exist, by controller; "" is for all others.
        ignore_paused: start it in a paused container: it goes on with the container.

    Raises:
        Conflict: the container does not run.
    """
    record = folder.load()
    status = folder.status(record)
    if status == "paused" and not ignore_paused:
        raise Conflict("cannot exec in a paused container (use --ignore-paused to override)")
    if status not in ("running", "paused", "created"):
        raise Conflict("cannot exec in a container that is not running")
    caller.check_console(process, asked)
    kept_fds = caller.kept_fds(process, asked)
    group = _group_for(record["cgroup"], cgroup)
    spec = folder.spec()
    if rdt := (spec.get("linux") or {}).get("intelRdt"):
        from wharf.runtime import resctrl  # noqa: PLC0415 - few have any: start-up

        resctrl.join(resctrl.find(), resctrl.Class(rdt, folder.id), os.getpid())  # the new process comes after us
    from wharf.runtime.execution import execute  # noqa: PLC0415 - start-up

    started = execute(
        process,
        init_pid=record["pid"],
        spec=spec,
        stdio=(0, 1, 2),
        cgroup=group,
        seccomp_cache=folder.filters,
        invocation=Invocation(state=folder.told(record), kept_fds=kept_fds),
        born=record["start_time"],
    )
    caller.announce(started, asked)
    return 0 if asked.detach else follow(started, Forward(started.pid))


def _group_for(path: str, inner: Mapping[str, str]) -> Doors | None:
    """Return the group of one more process; None for a plain user's container that has none."""
    if not inner:
        own = open_cgroup(path)
        return own if own.exists or os.geteuid() == 0 else None
    from wharf.kernel.cgroup.hierarchy import read_hierarchies  # noqa: PLC0415 - start-up
    from wharf.kernel.cgroup.inner import Inner  # noqa: PLC0415 - start-up

    group = Inner(path, inner, read_hierarchies())
    try:
        group.open_entry().close()
    except OSError as error:
        raise InvalidArgument(f"--cgroup of the container: {error}") from error
    return group
