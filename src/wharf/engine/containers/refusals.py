"""What Docker's daemon says of a process that did not come to be: its words, its status, its exit code. Pure.

Programs look for parts of these texts, and the docker command takes its own exit code (125 to 127) from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument, WharfError

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
NOT_STARTED: Final = 128

_CREATE: Final = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
)
_EXEC: Final = "OCI runtime exec failed: exec failed: "
_PROCESS: Final = "unable to start container process: "
_DURING_INIT: Final = "error during container init: "
_OF_INIT: Final = ("exec: ", "exec /", "chdir to cwd ")
_NOT_THE_RUNTIMES: Final = ("unable to find user", "unable to find group", "uids and gids must be", "Cannot mkdir: ")
_NO_FILE: Final = ("executable file not found", "no such file or directory")
_OF_ANOTHER_KIND: Final = (
    "Are you trying to mount a directory onto a file (or vice-versa)? "
    "Check if the specified host path exists and is the expected type"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What becomes of a start or an exec that failed.

    Attributes:
        text: the message.
        exit_code: the container's, or the exec's.
    """

    text: str
    exit_code: int

    def error(self) -> WharfError:
        """Return what a client is told, with Docker's status."""
        return WharfError(self.text) if self.exit_code == NOT_STARTED else InvalidArgument(self.text)


def of_create(message: str) -> Refusal:
    """Return what is said of a container whose process could not be created, for ``message`` of the runtime's."""
    if message.startswith(_NOT_THE_RUNTIMES):
        return Refusal(message, NOT_STARTED)
    reason = message.removeprefix(_PROCESS)
    if reason != message and reason.startswith(_OF_INIT):
        message = f"{_PROCESS}{_DURING_INIT}{reason}"
    return _judged(_CREATE + message)


def of_exec(message: str) -> Refusal:
    """Return the same of a process that was to run in a container besides."""
    return Refusal(message, NOT_STARTED) if message.startswith(_NOT_THE_RUNTIMES) else _judged(_EXEC + message)


def _judged(text: str) -> Refusal:
    """Docker's daemon goes by the text too (moby, daemon/errors.go)."""
    lower = text.lower()
    if "permission denied" in lower:
        return Refusal(text, NOT_EXECUTABLE)
    if "is a directory" in lower:
        return Refusal(f"{text}: permission denied", NOT_EXECUTABLE)
    if "not a directory" in lower:
        hint = "" if _OF_ANOTHER_KIND in text else f": {_OF_ANOTHER_KIND}"
        return Refusal(text + hint, NOT_FOUND)
    return Refusal(text, NOT_FOUND if any(one in lower for one in _NO_FILE) else NOT_STARTED)
