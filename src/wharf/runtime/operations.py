"""The operations of the runtime specification (runtime.md "Operations") on containers that outlive the command."""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys

from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.kernel import pidfd, sockets
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.libc import suppress_errno
from wharf.runtime import conversation, devices, state
from wharf.runtime.container import create as create_process
from wharf.runtime.container import execute
from wharf.runtime.state import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from wharf.kernel.cgroup.group import Cgroup
    from wharf.runtime.started import Started
    from wharf.runtime.state import Record
    from wharf.spec.oci_runtime import Process, Resources, Spec

_FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_BY_SIGNAL = 128


class Asked:
    """What create, run and exec have in common."""

    __slots__ = ("console_socket", "pid_file")

    def __init__(self, console_socket: str = "", pid_file: str = "") -> None:
        self.console_socket = console_socket
        self.pid_file = pid_file


def create(folder: Folder, bundle: str, asked: Asked) -> None:
    """Create a container whose init waits in ``start.sock``; undone by :func:`delete`, and by itself on failure."""
    bundle = os.path.realpath(bundle)
    spec = _load_spec(bundle)
    _check_console(spec.get("process") or {}, asked)
    record = folder.make(spec, bundle, _cgroup_path(spec, folder.id))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            sockets.bind(listener, folder.socket)
            listener.listen(1)
            started = create_process(
                spec,
                bundle=bundle,
                stdio=(0, 1, 2),
                cgroup=_make_cgroup(record, spec),
                seccomp_cache=None,
                start_socket=listener,
            )
        try:
            _announce(started, asked)
            record["pid"], record["start_time"] = started.pid, state.start_time(started.pid) or 0
            folder.save(record)
        except BaseException:
            started.abort()
            raise
    except BaseException:
        _remove(folder, record)
        raise


def start(folder: Folder) -> None:
    """Let init execute the container's program.

    Raises:
        Conflict: it is not created, but something else.
        StartFailed: the exec failed; the container has stopped then.
    """
    record = folder.load()
    status = folder.status(record)
    if status != "created":
        raise Conflict(
            f"cannot start a container that has {'stopped' if status == 'stopped' else f'status {status}'}"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sockets.connect(sock, folder.socket)
        os.unlink(folder.socket)
        conversation.send(sock, "start")
        conversation.receive(sock)


def run(folder: Folder, bundle: str, asked: Asked, *, detach: bool) -> int:
    """Create, start and (unless detached) wait for a container and delete it; return its exit code."""
    create(folder, bundle, asked)
    record = folder.load()
    try:
        forward = _Forward(record["pid"])
        start(folder)
    except BaseException:
        delete(folder, force=True)
        raise
    if detach:
        return 0
    code = forward.wait()
    delete(folder, force=True)
    return code


class _Forward:
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
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return code if code >= 0 else _BY_SIGNAL - code


def kill(folder: Folder, number: int, *, all_: bool) -> None:
    """Send signal ``number`` to init, or to all processes of the container.

    Raises:
        Conflict: it does not run.
    """
    record = folder.load()
    if all_:
        for pid in open_cgroup(record["cgroup"]).procs():
            with suppress_errno(3):  # ESRCH
                os.kill(pid, number)
        return
    if folder.status(record) in ("creating", "stopped"):
        raise Conflict("container not running")
    _signal_init(record, number)


def _signal_init(record: Record, number: int) -> None:
    try:
        fd = pidfd.pidfd_open(record["pid"])
    except ProcessLookupError:
        return
    try:
        if state.start_time(record["pid"]) == record["start_time"]:  # the pidfd is of the process we mean
            with suppress_errno(3):  # ESRCH
                pidfd.send_signal(fd, number)
        if number == signal.SIGKILL:
            pidfd.has_exited(fd, timeout_s=10)
    finally:
        os.close(fd)


def delete(folder: Folder, *, force: bool) -> None:
    """Remove what is left of a container.

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
    if status in ("created", "running"):
        _signal_init(record, signal.SIGKILL)
    _remove(folder, record)


def _remove(folder: Folder, record: Record) -> None:
    group = open_cgroup(record["cgroup"])
    if group.exists:
        group.kill_all()
        group.delete()
    folder.remove()


def exec_(folder: Folder, process: Process, asked: Asked, *, detach: bool) -> int:
    """Run one more process; return its exit code, 0 at once when detached.

    Raises:
        Conflict: the container does not run.
    """
    record = folder.load()
    if folder.status(record) != "running":
        raise Conflict("cannot exec in a container that is not running")
    _check_console(process, asked)
    started = execute(
        process,
        init_pid=record["pid"],
        spec=folder.spec(),
        stdio=(0, 1, 2),
        cgroup=open_cgroup(record["cgroup"]),
        seccomp_cache=None,
    )
    _announce(started, asked)
    return 0 if detach else _Forward(started.pid).wait()


def _load_spec(bundle: str) -> Spec:
    try:
        with open(f"{bundle}/config.json", encoding="utf-8") as file:
            spec: Spec = json.load(file)
    except FileNotFoundError:
        raise NotFound(f"JSON specification file {bundle}/config.json not found") from None
    except ValueError as error:
        raise InvalidArgument(f"{bundle}/config.json: {error}") from error
    if not isinstance(spec, dict):
        raise InvalidArgument(f"{bundle}/config.json: not an object")
    return spec


def _cgroup_path(spec: Spec, container_id: str) -> str:
    path = (spec.get("linux") or {}).get("cgroupsPath") or f"/wharf/runtime/{container_id}"
    if ":" in path:
        raise InvalidArgument(f"cgroupsPath {path} is meant for systemd, which is not supported")
    return "/" + path.strip("/")


def _make_cgroup(record: Record, spec: Spec) -> Cgroup:
    group = open_cgroup(record["cgroup"])
    group.create()
    resources: Resources = {**((spec.get("linux") or {}).get("resources") or {})}
    if rules := resources.get("devices"):
        resources["devices"] = [*rules, *devices.DEFAULT_RULES]
    group.apply(resources)
    return group


def _check_console(process: Process, asked: Asked) -> None:
    if int(os.environ.get("LISTEN_FDS") or 0):
        raise InvalidArgument("LISTEN_FDS is not supported")
    if process.get("terminal") and not asked.console_socket:
        raise InvalidArgument("cannot allocate tty without --console-socket")
    if asked.console_socket and not process.get("terminal"):
        raise InvalidArgument("--console-socket is only for a process with a terminal")


def _announce(started: Started, asked: Asked) -> None:
    """Hand the terminal over and write the pid file."""
    if started.console is not None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sockets.connect(sock, asked.console_socket)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [started.console]))
            sock.sendmsg([b"/dev/ptmx"], [rights])
        os.close(started.console)
        started.console = None
    if asked.pid_file:
        temporary = f"{asked.pid_file}.new"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(str(started.pid))
        os.replace(temporary, asked.pid_file)
    sys.stdout.flush()
