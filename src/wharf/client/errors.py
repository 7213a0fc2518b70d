"""From a status back to the error tree; the only place of the client that knows statuses."""

from __future__ import annotations

from wharf.errors import (
    Conflict,
    Forbidden,
    InvalidArgument,
    NotFound,
    NotImplementedHere,
    Unauthorized,
    Unavailable,
    WharfError,
)

_BY_STATUS: dict[int, type[WharfError]] = {
    400: InvalidArgument,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    501: NotImplementedHere,
    503: Unavailable,
}


class EngineAnswer(Exception):
    """The cause of every error that an engine sent, as against those that began on this side."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


class EngineUnreachable(Unavailable):
    """Nothing answers at the address."""


class ProtocolError(WharfError):
    """The other side does not speak HTTP as an engine does."""


def raise_for(status: int, message: str) -> None:
    """Raise the error that ``status`` stands for, with the engine's message; return for a success.

    304 is a success: the object is already as requested.
    """
    if status < 400:
        return
    raise _BY_STATUS.get(status, WharfError)(message) from EngineAnswer(status)
