"""The operations of the runtime specification (runtime.md "Operations") on containers that outlive the command."""

from __future__ import annotations

import os

from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound
from wharf.kernel import pidfd, unix_socket
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.lib.light_json import loads
from wharf.runtime import caller, conversation, devices, sealing, shape, state
from wharf.runtime.birth import NO_PROCESS
from wharf.runtime.caller import Asked
from wharf.runtime.container import create as create_process
from wharf.runtime.errors import StartFailed
from wharf.runtime.invocation import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.birth import Doors
    from wharf.runtime.caller import Warn
    from wharf.runtime.hooks import HookPlan
    from wharf.runtime.started import Started
    from wharf.runtime.state import Folder, Record
    from wharf.runtime.systemd import Scope
    from wharf.spec.oci_runtime import IntelRdt, Process, Resources, Spec

_FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_BY_SIGNAL = 128


def create(folder: Folder, bundle: str, asked: Asked) -> Started:
    """Create a container whose init waits in ``start.sock``; undone by :func:`delete`, and by itself on failure."""
    bundle = os.path.realpath(bundle)
    spec = load_spec(bundle)
    if asked.waits or sealing.wanted(spec, bundle):
        sealing.ensure()
    process = spec.get("process") or {}
    caller.check_console(process, asked)
    scope = _scope(spec, folder.id) if asked.systemd else None
    cgroup = scope.path if scope else cgroup_path(spec, folder.id)
    refuse_others(cgroup)
    record = folder.make(spec, bundle, cgroup)
    try:
        kept_fds = caller.kept_fds(process, asked)
        listener = unix_socket.listen(folder.socket)
        try:
            invocation = Invocation(
                start_socket=listener,
                state=folder.told(record),
                kept_fds=kept_fds,
                pivot=asked.pivot,
                new_keyring=asked.keyring,
            )
            with _Nothing() if scope is None else scope:
                started = create_process(
                    spec,
                    bundle=bundle,
                    stdio=(0, 1, 2),
                    cgroup=make_cgroup(record, spec),
                    seccomp_cache=folder.filters,
                    invocation=invocation,
                )
        finally:
            listener.close()
        try:
            if rdt := (spec.get("linux") or {}).get("intelRdt"):
                record["resctrl"] = enter_class(rdt, folder.id, started.pid)
            caller.announce(started, asked)
            record["pid"], record["start_time"] = started.pid, state.start_time(started.pid) or 0
            folder.save(record)
            started.release()
        except BaseException:
            started.abort()
            raise
    except BaseException:
        remove(folder, record, spec, asked.warn)
        raise
    return started


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
    spec = folder.spec()
    try:
        sock = unix_socket.connect(folder.socket)
        os.unlink(folder.socket)
        conversation.send(sock, "start")
        conversation.receive(sock)
        sock.close()
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


def run(folder: Folder, bundle: str, asked: Asked, *, keep: bool) -> int:
    """Create, start and (unless detached) wait for a container and delete it; return its exit code."""
    started = create(folder, bundle, asked)
    try:
        forward = Forward(started.pid)
        start(folder, asked.warn)
        if asked.detach:
            return 0
        code = follow(started, forward)
    except BaseException:
        with suppress_errno(2):  # ENOENT: a hook that failed has had it deleted
            delete(folder, asked.warn, force=True)
        raise
    if not keep:
        delete(folder, asked.warn, force=True)
    return code


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
    group = open_cgroup(record["cgroup"])
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
        _signal_init(record, signal.SIGKILL, open_cgroup(record["cgroup"]))
    remove(folder, record, folder.spec(), warn)


def remove(folder: Folder, record: Record, spec: Spec, warn: Warn) -> None:
    """Remove a container whose init has ended, or must, and run its poststop hooks."""
    group = open_cgroup(record["cgroup"])
    if group.exists:
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


def enter_class(wanted: IntelRdt, container_id: str, pid: int) -> list[str]:
    """Put a process into its class of service; return what :mod:`wharf.runtime.resctrl` made for it."""
    from wharf.runtime import resctrl  # noqa: PLC0415 - the same

    return resctrl.enter(resctrl.find(), resctrl.Class(wanted, container_id), pid)


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
    from wharf.runtime.execution import execute  # noqa: PLC0415 - start-up

    started = execute(
        process,
        init_pid=record["pid"],
        spec=folder.spec(),
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


def load_spec(bundle: str) -> Spec:
    """Return a bundle's config.json, of the right shape.

    Raises:
        NotFound: there is none.
        InvalidArgument: it is another document.
    """
    try:
        with open(f"{bundle}/config.json", encoding="utf-8") as file:
            spec = loads(file.read())
    except FileNotFoundError:
        raise NotFound(f"JSON specification file {bundle}/config.json not found") from None
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"{bundle}/config.json: {error}") from error
    shape.check(spec, shape.SPEC)
    return spec  # type: ignore[return-value]  # just checked


def cgroup_path(spec: Spec, container_id: str) -> str:
    """Return the path of a container's control group."""
    path = (spec.get("linux") or {}).get("cgroupsPath") or f"/wharf/runtime/{container_id}"
    if ":" in path:
        raise InvalidArgument(f"cgroupsPath {path} is meant for systemd: use --systemd-cgroup")
    return "/" + path.strip("/")


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _scope(spec: Spec, container_id: str) -> Scope:
    from wharf.runtime import systemd  # noqa: PLC0415 - start-up

    linux = spec.get("linux") or {}
    unit = systemd.unit_of(linux.get("cgroupsPath") or "", container_id)
    return systemd.Scope(unit, linux.get("resources") or {})


def refuse_others(path: str) -> None:
    """Refuse a control group that somebody is in: it would be limited, frozen, and in the end killed as a whole."""
    if pids := open_cgroup(path).procs():
        raise Conflict(f"container's cgroup is not empty: {len(pids)} process(es) found in {path}")


def make_cgroup(record: Record, spec: Spec) -> Cgroup | None:
    """Make a container's control group, and limit it; None for a plain user who may not, and wants no limits.

    Raises:
        Forbidden: a plain user wants limits.
    """
    group = open_cgroup(record["cgroup"])
    try:
        group.create()
    except PermissionError as error:
        if os.geteuid() == 0:
            raise
        limits = [name for name, value in ((spec.get("linux") or {}).get("resources") or {}).items() if value]
        if limits:
            raise Forbidden(f"limits ({', '.join(limits)}) need a control group of your own: {error}") from error
        return None
    resources: Resources = {**((spec.get("linux") or {}).get("resources") or {})}
    if rules := resources.get("devices"):
        resources["devices"] = [*rules, *devices.DEFAULT_RULES]
    try:
        group.apply(resources)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidArgument(f"config.json is not as the specification says: linux.resources: {error!r}") from error
    return group
