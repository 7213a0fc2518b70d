"""How a call ends (gRPC, "Status codes"), and what our own errors become."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from urllib.parse import quote, unquote

from wharf.errors import (
    Conflict,
    DataLoss,
    Forbidden,
    InvalidArgument,
    NotFound,
    NotImplementedHere,
    Unauthorized,
    Unavailable,
    WharfError,
)
from wharf.rpc.stream import Headers

OK: Final = 0
CANCELLED: Final = 1
UNKNOWN: Final = 2
INVALID_ARGUMENT: Final = 3
DEADLINE_EXCEEDED: Final = 4
NOT_FOUND: Final = 5
ALREADY_EXISTS: Final = 6
RESOURCE_EXHAUSTED: Final = 8
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13
UNAVAILABLE: Final = 14

_CODES: Final[dict[type[BaseException], int]] = {
    InvalidArgument: INVALID_ARGUMENT,
    Unauthorized: 16,
    Forbidden: 7,
    NotFound: NOT_FOUND,
    Conflict: 9,
    NotImplementedHere: UNIMPLEMENTED,
    Unavailable: UNAVAILABLE,
    DataLoss: 15,
}
_MAX_MESSAGE: Final = 8 * 1024
_SAFE: Final = "".join(chr(one) for one in range(0x20, 0x7F) if one != ord("%"))


class CallFailed(WharfError):
    """A call ended with another status than 0.

    Attributes:
        code: the status.
        details: an encoded google.rpc.Status with more than code and message, or b"".
    """

    def __init__(self, code: int, message: str, details: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.details = details


def failed(error: BaseException) -> CallFailed:
    """Return what a caller is told of an error: our own words, or only the kind of one that nobody expected."""
    if isinstance(error, CallFailed):
        return error
    if isinstance(error, WharfError):
        return CallFailed(next((_CODES[cls] for cls in type(error).__mro__ if cls in _CODES), UNKNOWN), str(error))
    return CallFailed(INTERNAL, f"internal error: {type(error).__name__}: {error}")


def trailers_of(error: CallFailed | None) -> Headers:
    """Return the trailers that end a call."""
    if error is None:
        return [("grpc-status", "0")]
    message = str(error).encode("utf-8", "replace")[:_MAX_MESSAGE]
    trailers = [("grpc-status", str(error.code)), ("grpc-message", quote(message, safe=_SAFE))]
    if error.details:
        trailers.append(("grpc-status-details-bin", base64.b64encode(error.details).decode().rstrip("=")))
    return trailers


def error_in(trailers: Headers) -> CallFailed | None:
    """Return what the trailers of a call tell, None when it was done."""
    fields = dict(trailers)
    code = fields.get("grpc-status", "")
    if not code.isdigit():
        return CallFailed(UNKNOWN, f"an answer that is not gRPC's: status {fields.get(':status', '')}")
    if int(code) == OK:
        return None
    details = fields.get("grpc-status-details-bin", "")
    try:
        decoded = base64.b64decode(details + "=" * (-len(details) % 4))
    except binascii.Error:
        decoded = b""
    return CallFailed(int(code), unquote(fields.get("grpc-message", "")), decoded)
