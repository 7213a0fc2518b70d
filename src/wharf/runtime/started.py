"""A process that has been created: it waits for ``start``, or has been started."""

from __future__ import annotations

import errno
import os

from wharf.kernel.libc import suppress_errno
from wharf.kernel.signals import raw as signal
from wharf.runtime import conversation
from wharf.runtime.errors import StartFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket

    from wharf.runtime.steps import Steps


class Started:
    """A created process; its parent is the caller, who reaps it.

    Attributes:
        pid: in the caller's pid namespace.
        pidfd: owned by this object's holder.
        console: the terminal's master, owned by the holder; None without ``process.terminal``.
        mounts: its mount namespace, when somebody holds it open, so that the process need not take it apart before
            its end is seen; owned by the holder. -1: nobody does.
        steps: microseconds each step took.
        warnings: what was asked for and could not be granted.
    """

    __slots__ = ("_sock", "_steps", "console", "mounts", "pid", "pidfd", "warnings")

    def __init__(self, pid: int, pidfd: int, sock: socket.socket | None, steps: Steps, warnings: list[str]) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.console: int | None = None
        self.mounts = -1
        self.warnings = warnings
        self._sock = sock  # None: it runs
        self._steps = steps

    @property
    def steps(self) -> dict[str, int]:
        """Microseconds by step."""
        return self._steps.us

    def wait_ready(self) -> None:
        """Wait until everything but the exec is done.

        Raises:
            StartFailed: why not; the process is reaped then.
        """
        assert self._sock is not None
        try:
            fields, fds = conversation.receive(self._sock)
        except BaseException:
            self.abort()
            raise
        if not fields:
            self.abort()
            raise StartFailed("other", "unable to start container process: init died before it was ready")
        self.console = fds[0] if fds else None
        for name, us in conversation.steps_from_field(fields[1]).items():
            self._steps.us[name] = us
        self._steps.done("ready")

    def start(self) -> None:
        """Let it execute its program; return once execve has succeeded. Once started, this does nothing.

        Raises:
            StartFailed: why not; the process is reaped then.
        """
        if self._sock is None:
            return
        try:
            self.execute()
        except BaseException:
            self.abort()
            raise

    def execute(self) -> None:
        """Let it execute its program; return once execve has succeeded.

        Raises:
            StartFailed: why not; the process ends, and is the caller's to reap.
        """
        assert self._sock is not None
        with suppress_errno(errno.EPIPE, errno.ECONNRESET):  # it is gone; what it said last is still to be read
            conversation.send(self._sock, "start")
        conversation.receive(self._sock)
        self._sock.close()
        self._sock = None
        self._steps.done("exec")

    def wait_executed(self) -> None:
        """Wait until execve has succeeded, after "start".

        Raises:
            StartFailed: why not; the process is reaped then.
        """
        assert self._sock is not None
        try:
            conversation.receive(self._sock)
        except BaseException:
            self.abort()
            raise
        self._sock.close()
        self._sock = None
        self._steps.done("exec")

    def release(self) -> None:
        """Let it live without its parent, and wait in its own socket for whoever starts it."""
        assert self._sock is not None
        conversation.send(self._sock, "recorded")
        conversation.expect(self._sock, "free")  # before that it would still die with us

    def let_mounts_go(self) -> None:
        """Close the mount namespace; idempotent. Once the process has ended, that takes its mounts apart."""
        if self.mounts != -1:
            os.close(self.mounts)
            self.mounts = -1

    def abort(self) -> None:
        """Kill and reap the process, and close what the holder owns; idempotent."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self.pidfd == -1:
            return
        with suppress_errno(errno.ESRCH):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        with suppress_errno(errno.ECHILD):  # the caller has reaped it
            os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        self.pidfd = -1
        self.let_mounts_go()
        if self.console is not None:
            os.close(self.console)
            self.console = None
