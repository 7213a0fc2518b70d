"""A registry's failures as ours (distribution-spec "Error Codes"), in words that Docker's clients know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

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

MAX_ERROR_BYTES: Final = 64 * 1024
_BY_STATUS: Final[Mapping[int, type[WharfError]]] = {
    400: InvalidArgument,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: NotImplementedHere,
    409: Conflict,
    413: InvalidArgument,
    415: InvalidArgument,
    416: InvalidArgument,
    429: Unavailable,
    501: NotImplementedHere,
}


def details(body: bytes) -> str:
    """Return a registry's own words: ``code: message`` of each error, or the beginning of what it sent."""
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body[:200].decode("utf-8", "replace").strip()
    errors = document.get("errors") if isinstance(document, dict) else None
    if isinstance(errors, list):
        found = [_one(error) for error in errors if isinstance(error, dict)]
        return "; ".join(filter(None, found))
    for key in ("details", "message", "error"):
        if isinstance(document, dict) and isinstance(document.get(key), str):
            return str(document[key])[:500]
    return ""


def _one(error: dict[str, Any]) -> str:
    code = str(error.get("code") or "").lower().replace("_", " ")
    message = str(error.get("message") or "")[:500]
    return f"{code}: {message}" if code and message else code or message


def failure(status: int, body: bytes, what: str) -> WharfError:
    """Return the error that an answer of ``status`` is; ``what`` says what was asked."""
    said = details(body)
    kind = _BY_STATUS.get(status) or (Unavailable if status >= 500 else WharfError)
    return kind(f"{what}: {said or f'the registry answered with status {status}'}")
