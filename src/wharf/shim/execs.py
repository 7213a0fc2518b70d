"""More processes in a running container, each with its own streams and exit code."""

from __future__ import annotations

import _socket as socket
import os

from wharf.kernel import pty
from wharf.kernel.signals import raw as signal
from wharf.shim.control import Refused, refused
from wharf.shim.open_files import begun_with
from wharf.shim.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.runtime.errors import StartFailed
    from wharf.shim.loop import Loop
    from wharf.shim.runtime import Started, Stdio
    from wharf.spec.oci_runtime import Process
    from wharf.spec.shim_messages import ExecRequest


class _Exec:
    __slots__ = ("pid", "pidfd", "streams")

    def __init__(self, pid: int, pidfd: int, streams: Streams) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.streams = streams


class Execs:
    """The running execs of one container.

    Attributes:
        open_files: how many files may be open for those that do not say so, soft and hard; None: as for this process.
    """

    __slots__ = ("_execute", "_failed", "_loop", "_owner", "_running", "open_files")

    def __init__(
        self,
        loop: Loop,
        execute: Callable[[Process, Stdio | None], Started],
        failed: type[StartFailed],
        owner: tuple[int, int] | None = None,
    ) -> None:
        """Have none yet; ``owner`` is whose their pipes are (:meth:`Streams.open_pipes`)."""
        self._owner = owner
        self._loop = loop
        self._execute = execute
        self._failed = failed
        self._running: dict[str, _Exec] = {}
        self.open_files: tuple[int, int] | None = None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by exec id."""
        return {exec_id: running.pid for exec_id, running in self._running.items()}

    def start(self, request: ExecRequest, sock: socket.socket | None) -> tuple[int, Streams]:
        """Run a process and return its id and its streams; takes over the socket.

        Raises:
            Refused: it could not be started, or the id is in use.
        """
        attachment = request["attachment"]
        if request["exec_id"] in self._running:
            if sock is not None:
                sock.close()
            raise refused(f"exec {request['exec_id']} is running already")
        streams = Streams(self._loop, once=True)
        if sock is not None and attachment is not None:
            streams.attach(sock, attachment)
        process = request["process"]
        stdin = bool(attachment and attachment["stdin"])
        try:
            stdio = None if process.get("terminal") else streams.open_pipes(self._owner, stdin=stdin)
            started = self._execute(begun_with(process, self.open_files), stdio)
        except self._failed as failure:
            streams.finish()
            raise Refused({"kind": failure.kind, "message": failure.message}) from failure
        except BaseException:
            streams.finish()
            raise
        if started.console is not None:
            streams.take_terminal(started.console, stdin=stdin)
        streams.started()
        self._running[request["exec_id"]] = _Exec(started.pid, started.pidfd, streams)
        return started.pid, streams

    def ended(self, pid: int) -> str | None:
        """Return the id of the exec whose process ``pid`` has ended, None when it is nobody's; see :meth:`finish`."""
        return next((exec_id for exec_id, running in self._running.items() if running.pid == pid), None)

    def finish(self, exec_id: str) -> None:
        """End the streams of an exec whose process has ended, and forget it."""
        running = self._running.pop(exec_id)
        running.streams.finish()
        os.close(running.pidfd)

    def kill(self, exec_id: str, number: int) -> None:
        """Send a signal to an exec's process.

        Raises:
            Refused: it does not run.
        """
        try:
            signal.pidfd_send_signal(self._find(exec_id).pidfd, number)
        except ProcessLookupError:
            raise refused(f"exec {exec_id} is not running") from None

    def resize(self, exec_id: str, rows: int, columns: int) -> None:
        """Set the size of an exec's terminal; without one it has no effect.

        Raises:
            Refused: it does not run.
        """
        terminal = self._find(exec_id).streams.terminal
        if terminal is not None:
            pty.set_window_size(terminal, rows, columns)

    def _find(self, exec_id: str) -> _Exec:
        if running := self._running.get(exec_id):
            return running
        raise refused(f"exec {exec_id} is not running")
