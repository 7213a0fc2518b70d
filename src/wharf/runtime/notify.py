"""SCMP_ACT_NOTIFY: a filter whose questions another program answers (config-linux.md "Seccomp", "listenerPath").

The agent must get the filter's descriptor from a process that the filter already holds: whatever call it makes to
send it may itself be asked about, and nobody would answer. So a helper that shares its descriptors, and not the
filter, sends it::

    init ──clone(CLONE_FILES)──▶ helper      waits for a number in memory that both share
    init: seccomp() = fd, writes the number ─┐
                                             └▶ helper ──state, fd──▶ agent
"""

from __future__ import annotations

import _socket as socket
import os
import time

from wharf.kernel import seccomp, unix_socket
from wharf.kernel.clone import clone3
from wharf.lib.light_json import dumps
from wharf.runtime.errors import StartFailed, during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Literal, NoReturn

    from wharf.spec.oci_runtime import Seccomp, State

_CLONE_FILES: Final = 0x400
_NOTIFY: Final = "SCMP_ACT_NOTIFY"
_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.0005
_INT_BYTES: Final = 4


class Agent:
    """The program at ``path`` that answers; told of one process."""

    __slots__ = ("_memory", "_metadata", "_path", "_sock", "_state", "_status")

    def __init__(self, document: Seccomp, state: State, status: Literal["creating", "running"]) -> None:
        import mmap  # noqa: PLC0415 - few containers have an agent, and init can import nothing any more

        self._memory: Any = mmap.mmap(-1, _INT_BYTES)  # shared with whoever is cloned
        self._path = document["listenerPath"]
        self._metadata = document.get("listenerMetadata")
        self._state = state
        self._status = status
        self._sock: socket.socket | None = None

    def __repr__(self) -> str:
        return f"seccomp agent {self._path}"

    @property
    def descriptors(self) -> list[int]:
        """What must stay open until :meth:`install`."""
        return [] if self._sock is None else [self._sock.fileno()]

    def connect(self) -> None:
        """Connect to the agent, while its path and the host's /proc can be seen.

        Raises:
            StartFailed: nobody listens there.
        """
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix_socket.at(self._path, self._sock.connect)
            self._state["pid"] = int(os.readlink("/proc/self"))
        except OSError as error:
            raise during_init(error, f"error connecting to the seccomp agent at {self._path}") from error
        self._state["status"] = self._status

    def install(self, program: bytes, flags: int) -> None:
        """Install the filter on this process, and send its descriptor.

        Raises:
            StartFailed: the agent did not take it.
            OSError: as :func:`wharf.kernel.seccomp.install`.
        """
        shared = self._memory
        shared[:] = (-1).to_bytes(_INT_BYTES, "little", signed=True)
        pid, _ = clone3(_CLONE_FILES)
        if pid == 0:
            self._help(shared)
        fd = seccomp.install(program, flags)
        shared[:] = fd.to_bytes(_INT_BYTES, "little", signed=True)
        # From here on a call may be a question.
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            raise StartFailed("other", f"error sending the seccomp descriptor to the agent at {self._path}")

    def _help(self, shared: Any) -> NoReturn:
        code = 1
        try:
            deadline = time.monotonic() + _TIMEOUT_S
            while (fd := int.from_bytes(shared[:], "little", signed=True)) == -1 and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            if fd != -1:
                self._send(fd)
                code = 0
        finally:
            os._exit(code)

    def _send(self, fd: int) -> None:
        assert self._sock is not None
        message: dict[str, Any] = {
            "ociVersion": self._state.get("ociVersion", ""),
            "fds": ["seccompFd"],
            "pid": self._state.get("pid", 0),
            "state": self._state,
        }
        if self._metadata is not None:
            message["metadata"] = self._metadata
        data = dumps(message).encode(errors="surrogateescape")
        sent = self._sock.sendmsg([data], unix_socket.rights([fd]))
        self._sock.sendall(data[sent:])
        self._sock.shutdown(socket.SHUT_WR)


def plan(
    document: Seccomp | None, state: State | None, status: Literal["creating", "running"] = "creating"
) -> Agent | None:
    """Return the agent a filter needs, if it needs one.

    Raises:
        StartFailed: what it needs is not there.
    """
    if not document:
        return None
    path = document.get("listenerPath")
    if document.get("listenerMetadata") and not path:
        raise invalid("seccomp listenerMetadata is set, but listenerPath is not")
    if not asks(document):
        return None
    if not path:
        raise invalid(f"seccomp listenerPath is needed for {_NOTIFY}")
    if state is None:
        raise invalid(f"{_NOTIFY} is not supported here")
    return Agent(document, {**state}, status)


def asks(document: Seccomp) -> bool:
    """Whether some call is a question to an agent."""
    rules = document.get("syscalls") or ()
    return document.get("defaultAction") == _NOTIFY or any(rule.get("action") == _NOTIFY for rule in rules)
