"""The first moments of a process of ours, in the child of clone3, and its last, before execve."""

from __future__ import annotations

import errno
import gc
import os
import sys

from wharf.kernel import prctl, signals, unix_socket
from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.runtime import account, console, conversation, labels, privileges, program, tuning
from wharf.runtime.errors import NO_PROCESS, StartFailed, during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket
    from collections.abc import Callable, Iterable
    from typing import Final, NoReturn, Protocol

    from wharf.runtime.privileges import Privileges
    from wharf.runtime.steps import Steps
    from wharf.spec.oci_runtime import Linux, Process

    class CgroupEntry(Protocol):
        """Open doors into a control group: what ``wharf.kernel.cgroup.group.Entry`` is."""

        v1: list[int]
        v2: int

        def enter_v1(self) -> None:
            """Move the calling process in."""

        def close(self) -> None:
            """Close the doors."""

    class Doors(Protocol):
        """Where a process goes: ``wharf.kernel.cgroup.group.Cgroup``, or ``wharf.kernel.cgroup.inner.Inner``."""

        def open_entry(self) -> CgroupEntry:
            """Open the doors."""

    class Cgroup(Doors, Protocol):
        """A control group that exists and has its limits: what ``wharf.kernel.cgroup.group.Cgroup`` is."""

        def open_mounts(self) -> list[tuple[str, int]]:
            """Return each v1 hierarchy's name and a detached mount of the group in it."""


_SIGKILL: Final = int(signal.SIGKILL)
_HIGHEST_FD: Final = 1 << 20
_FAILED: Final = 125
_PATH: Final = "/bin:/usr/bin"  # where execvp(3) looks without PATH


class ProcessPlan:
    """All of a process that can be worked out before it exists."""

    __slots__ = (
        "args",
        "cwd",
        "env",
        "handled",
        "has_home",
        "interpreter",
        "labels",
        "oom",
        "path",
        "privileges",
        "size",
        "tuning",
        "user",
    )

    def __init__(
        self, process: Process, wanted: Privileges, linux: Linux | None = None, *, additional: bool = False
    ) -> None:
        self.args = list(process.get("args", ()))
        self.cwd = process.get("cwd") or "/"
        self.env = dict(entry.split("=", 1) for entry in process.get("env") or () if "=" in entry)
        self.has_home = bool(self.env.get("HOME"))
        self.path = self.env.get("PATH", _PATH)
        self.user = process.get("user") or {}
        self.size = process.get("consoleSize")
        oom = process.get("oomScoreAdj")
        self.oom = None if oom is None or oom == _present_oom_score() else str(oom).encode()
        self.privileges = wanted
        self.labels = labels.plan(process)
        self.tuning = tuning.plan(process, linux or {}, additional=additional)
        own = os.stat("/proc/self/exe")
        self.interpreter = (own.st_dev, own.st_ino)
        self.handled = handled_signals()

    def open(self) -> None:
        """Open what is needed later, when the host's files can no longer be seen.

        Raises:
            StartFailed: it cannot be.
        """
        self.labels.open()
        if self.privileges.agent is not None:
            self.privileges.agent.connect()

    @property
    def descriptors(self) -> list[int]:
        """What :meth:`open` has opened."""
        agent = self.privileges.agent
        return [*self.labels.descriptors, *(agent.descriptors if agent is not None else ())]

    @property
    def warnings(self) -> list[str]:
        """What was asked for and cannot be granted here."""
        return [*self.privileges.warnings, *self.labels.warnings]

    def __repr__(self) -> str:
        return f"exec {self.args} in {self.cwd} as {self.user} with {self.privileges!r}"


def handled_signals() -> list[int]:
    """Return the signals that are handled or ignored, as SIGPIPE is by Python: the program starts with defaults."""
    default = (signal.SIG_DFL, None)
    known = [int(n) for n in signal.valid_signals() if n != _SIGKILL and signal.getsignal(n) not in default]
    return [*known, *signals.INTERNAL]


def _present_oom_score() -> int:
    with open("/proc/self/oom_score_adj", "rb", buffering=0) as file:
        return int(file.read())


def be_born(handled: Iterable[int], *, die_with_parent: bool, traceable: bool = False) -> None:
    """Make this process safe to go on with: no handler, no garbage collector, not traceable.

    Nor can it import: what it would find, once it is in the container's root, is the container's.

    Args:
        handled: the signals to give their default again, from :func:`handled_signals`.
        die_with_parent: get SIGKILL when the parent ends.
        traceable: leave that for later: a plain user could not write the id maps of what may not be traced.
    """
    gc.disable()
    sys.meta_path.clear()
    signal.set_wakeup_fd(-1)
    for number in handled:
        signals.set_default(number)
    signals.unblock_all()
    if not traceable:
        prctl.set_dumpable(dumpable=False)
    if die_with_parent:
        prctl.set_parent_death_signal(_SIGKILL)


def enter_group(entry: CgroupEntry | None, oom: bytes | None) -> None:
    """Go into the control group, and take the likelihood of being killed for want of memory."""
    if entry is not None:
        try:
            entry.enter_v1()
        except OSError as error:
            raise during_init(error, "error adding the process to its control group") from error
    if oom is not None:
        _set_oom_score(oom)


def _set_oom_score(value: bytes) -> None:
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    try:
        with suppress_errno(errno.EACCES, errno.EPERM):  # lowering it needs CAP_SYS_RESOURCE
            os.write(fd, value)
    except OSError as error:
        raise during_init(error, f"error setting oomScoreAdj {value.decode()}") from error
    finally:
        os.close(fd)


def close_others(keep: Iterable[int]) -> None:
    """Close every descriptor from 3 on except ``keep``."""
    start = 3
    for fd in sorted(keep):
        if fd >= start:
            os.closerange(start, fd)
            start = fd + 1
    os.closerange(start, _HIGHEST_FD)


class Gate:
    """Where init waits for ``start``: the socket it was born with, or a listening one in a state folder."""

    __slots__ = ("listener", "sock")

    def __init__(self, sock: socket.socket, listener: socket.socket | None = None) -> None:
        self.sock = sock
        self.listener = listener

    def wait(self) -> None:
        """Wait to be let through; end the process when there is nobody any more who could.

        At a listening socket that may be anybody, but only once the parent has recorded that we are here.
        """
        if self.listener is not None:
            self._receive("recorded")
            prctl.set_parent_death_signal(0)
            conversation.send(self.sock, "free")
            self.sock = unix_socket.accept(self.listener)
        self._receive("start")

    def _receive(self, word: str) -> None:
        fields, _ = conversation.receive(self.sock)
        if fields != [word]:
            os._exit(_FAILED)


def finish(
    plan: ProcessPlan,
    root: int,
    gate: Gate,
    master: int,
    steps: Steps,
    *,
    kept_fds: int = 0,
    before_exec: Callable[[], None] | None = None,
) -> NoReturn:
    """Become the user, find the program, say that all is ready, wait, and execute it.

    Args:
        plan: the process.
        root: descriptor of the root, which is this process's root already.
        gate: tells when.
        master: the terminal's, to be handed over; -1 for none.
        steps: the times so far.
        kept_fds: so many descriptors from 3 on are the program's.
        before_exec: what else is to be done once it is started, as the user: hooks.

    Raises:
        StartFailed: anything that keeps it from running.
    """
    who = account.look_up(root, plan.user)
    env = plan.env
    if not plan.has_home:
        env["HOME"] = who.home or "/"
    entered = _enter_folder(plan.cwd, may_fail=True)
    console.give_to(who.uid, who.gid)
    plan.tuning.apply()
    privileges.become(plan.privileges, who)
    prctl.set_parent_death_signal(_SIGKILL)  # the change of user has cleared it
    # As the user, but before a filter that may not know the calls we make here.
    if not entered:
        _enter_folder(plan.cwd, may_fail=False)
    path = program.find(plan.args[0], plan.path, plan.interpreter) if plan.args else ""
    privileges.confine(plan.privileges)
    steps.done("privileges")
    conversation.send(gate.sock, "ready", conversation.steps_to_field(steps.us), fds=[] if master == -1 else [master])
    gate.wait()
    prctl.set_parent_death_signal(0)
    # Whoever killed the parent meanwhile killed us; from here on the container lives by itself.
    kept = range(3, 3 + kept_fds)
    close_others((gate.sock.fileno(), *plan.descriptors, *kept))
    for fd in kept:
        os.set_inheritable(fd, True)  # noqa: FBT003 - its own signature
    if before_exec is not None:
        before_exec()
    if not path:
        raise StartFailed("invalid", NO_PROCESS)
    plan.labels.apply()
    privileges.finish(plan.privileges)
    try:
        os.execve(path, plan.args, env)  # noqa: S606 - what all this is for
    except OSError as error:
        raise program.exec_failed(path, error) from error


def _enter_folder(path: str, *, may_fail: bool) -> bool:
    """Change to the working directory: root may enter what the user may not, or (on network file systems) not."""
    try:
        os.chdir(path)
    except OSError as error:
        if may_fail and error.errno in (errno.EACCES, errno.EPERM):
            return False
        reason = os.strerror(error.errno or 0).lower()
        message = f'unable to start container process: chdir to cwd ("{path}") set in config.json failed: {reason}'
        raise StartFailed("other", message) from error
    if _is_outside():
        raise StartFailed("other", f'unable to start container process: cwd ("{path}") is outside of the container')
    return True


def _is_outside() -> bool:
    """Whether the working directory was reached by a magic link to a descriptor of the host's (CVE-2024-21626).

    Then it has no name in the root: the kernel calls it unreachable, which glibc makes ENOENT (getcwd(3)).
    """
    try:
        return not os.getcwd().startswith("/")
    except FileNotFoundError:
        return True


def report(sock: socket.socket, error: BaseException) -> None:
    """Tell the parent why there will be no process."""
    if isinstance(error, StartFailed):
        failed = error
    elif isinstance(error, OSError):
        failed = during_init(error)
    elif isinstance(error, KeyError | TypeError | ValueError | AttributeError):  # the document is not as specified
        failed = invalid(f"unable to start container process: error during container init: {error!r}")
    else:
        failed = StartFailed("other", f"unable to start container process: error during container init: {error!r}")
    conversation.send(sock, "failed", failed.kind, failed.message)


def run(sock_of: Callable[[], socket.socket], body: Callable[[], object]) -> NoReturn:
    """Run the child's ``body`` to its exec; nothing of the caller goes on in this process."""
    try:
        body()
    except BaseException as error:  # noqa: BLE001 - this process ends here, and its parent shall know why
        try:
            report(sock_of(), error)
        finally:
            os._exit(_FAILED)
    os._exit(_FAILED)
