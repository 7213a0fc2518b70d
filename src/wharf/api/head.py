"""Where a request that may take over its connection ends, and the client's own bytes begin.

Pure: bytes in, a decision out. An HTTP parser would read what follows the request as one more request; so
:mod:`wharf.api.connection` asks here first, and gives the parser the request alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024

_METHOD = b"POST "
_TARGET = re.compile(
    rb"POST (?:/v[0-9.]+)?/"
    rb"(?:containers/[^/? ]+/attach|exec/[^/? ]+/start|session|grpc|wharf/sessions/[^/? ]+/folders)[? ]"
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TakeoverRequest:
    """A request that may take over its connection, apart from what follows it."""

    request: bytes  # head without its Upgrade field (it would change how the rest is parsed), and the body
    rest: bytes  # the client's own bytes that came along
    upgrade: str  # the protocol that the client asks for, "" for none


def split_takeover(data: bytes) -> TakeoverRequest | bool:
    """Look at what a client sent on a connection where it is its turn to ask.

    Returns:
        The parts of a takeover request once it is here as a whole; True when more bytes are needed to tell;
        False when it is any other request, or one whose end cannot be told (chunked, or too long a head).
    """
    if not (data.startswith(_METHOD) or _METHOD.startswith(data)):
        return False
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return len(data) < MAX_HEAD_BYTES
    if not _TARGET.match(data):
        return False
    head = data[:end]
    if _CHUNKED.search(head):
        return False
    length = _LENGTH.search(head)
    body_end = end + (int(length.group(1)) if length else 0)
    if len(data) < body_end:
        return body_end <= end + MAX_HEAD_BYTES
    asked = _UPGRADE.search(head)
    upgrade = asked.group(1).decode("latin-1").strip() if asked else ""
    return TakeoverRequest(_UPGRADE.sub(b"", head) + data[end:body_end], data[body_end:], upgrade)
