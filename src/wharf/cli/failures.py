"""What a failure says on stderr: docker's words, one line."""

from __future__ import annotations

from wharf.client.errors import EngineAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.errors import WharfError

# How the start of a container fails; docker's client tells them apart by the same words.
_NOT_FOUND = ("executable file not found", "no such file or directory", "system cannot find the file specified")
_NOT_EXECUTABLE = ("permission denied", "is a directory", "exec format error")


def describe(error: WharfError) -> str:
    """Return the line for ``error``, saying so when the engine sent it."""
    message = str(error)
    return f"Error response from daemon: {message}" if from_engine(error) else message


def from_engine(error: WharfError) -> bool:
    """Whether the engine sent it, as against a failure on this side."""
    return isinstance(error.__cause__, EngineAnswer)


def start_exit_code(error: WharfError) -> int:
    """Return the exit code of a container that could not be started: 127, 126 or 125, as docker run's."""
    message = str(error)
    if any(words in message for words in _NOT_FOUND):
        return 127
    if any(words in message for words in _NOT_EXECUTABLE):
        return 126
    return 125
