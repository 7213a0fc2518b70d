"""Errors become statuses here and nowhere else."""

from __future__ import annotations

from wharf.errors import (
    Conflict,
    DataLoss,
    Forbidden,
    InvalidArgument,
    NotFound,
    NotImplementedHere,
    NotModified,
    Unauthorized,
    Unavailable,
    WharfError,
)

_STATUS: dict[type[BaseException], int] = {
    InvalidArgument: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    NotModified: 304,
    NotImplementedHere: 501,
    Unavailable: 503,
    DataLoss: 500,
}


def status_of(error: BaseException) -> int:
    """Return the HTTP status of ``error``: that of its nearest ancestor in the table, else 500."""
    return next((_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS), 500)


def error_document(error: BaseException) -> dict[str, str]:
    """Return the body of an answer that failed (ErrorResponse)."""
    return {"message": message_of(error)}


def error_line(error: BaseException) -> dict[str, object]:
    """Return the line that ends a stream of JSON messages when its work failed after the status was sent."""
    message = message_of(error)
    return {"errorDetail": {"message": message}, "error": message}


def message_of(error: BaseException) -> str:
    """Return what a client may read: our own words, or only the kind of an error that nobody expected."""
    if isinstance(error, WharfError):
        return str(error)
    return f"internal error: {type(error).__name__}: {error}"
