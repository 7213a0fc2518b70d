"""Why a process did not come to be, in the words Docker's clients match on."""

from __future__ import annotations

from errno import ENOTDIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["not-found", "not-executable", "invalid", "other"]

NO_PROCESS = "cannot start a container whose config.json has no process"

_OF_ANOTHER_KIND = (  # runc's words, which people look for
    "not a directory: Are you trying to mount a directory onto a file (or vice-versa)? "
    "Check if the specified host path exists and is the expected type"
)


class StartFailed(Exception):
    """A process could not be created or started; nothing of it is left.

    Attributes:
        kind: what Docker's exit code depends on (``wharf.spec.shim_messages.Failure``).
        message: what stands behind "OCI runtime create failed: ".
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message


def invalid(message: str) -> StartFailed:
    """Return the error of a document that is wrong or asks for what is not supported."""
    return StartFailed("invalid", message)


def during_init(error: OSError, doing: str = "") -> StartFailed:
    """Return the error of a system call that failed while the container was set up."""
    reason = (error.strerror or str(error)).lower() if error.errno else str(error)
    name = f" {error.filename}" if error.filename else ""
    what = f"{doing}: " if doing else ""
    return StartFailed(
        "other",
        f"unable to start container process: error during container init: {what}{reason}{name and ':' + name}",
    )


def not_mounted(source: str, destination: str, error: OSError) -> StartFailed:
    """Return the error of a mount that could not be made."""
    if error.errno == ENOTDIR and error.filename:
        error = OSError(_OF_ANOTHER_KIND)
    failed = during_init(error, f'error mounting "{source}" to rootfs at "{destination}"')
    return StartFailed("other", failed.message)
