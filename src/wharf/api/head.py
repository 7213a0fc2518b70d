"""What must be known of a request before the parser sees it: where one that may take over its connection ends.

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
    rb"(?:containers/[^/? ]+/attach|(exec)/[^/? ]+/start|session|grpc|wharf/sessions/[^/? ]+/folders)[? ]"
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_CODED = re.compile(rb"\r\ntransfer-encoding:[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_ONCE = re.compile(rb"\r\n(content-type|user-agent):[^\r\n]*", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,6})[^\r\n]{0,256}\r\n")
_UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)


def without_repeats(data: bytes) -> bytes:
    """Return what a client sent, whose first request's fields that may come once do.

    Clients say twice what a body is (bollard, for one). Go's servers take the first word, and the parser takes none
    (RFC 9110, 5.3: a sender must not). A head that comes in parts is left as it is.
    """
    end = data.find(b"\r\n\r\n")
    names = [name.lower() for name in _ONCE.findall(data, 0, max(end, 0))]
    if len(names) == len(set(names)):
        return data
    seen: set[bytes] = set()

    def first(field: re.Match[bytes]) -> bytes:
        name = field.group(1).lower()
        if name in seen:
            return b""
        seen.add(name)
        return field.group()

    return _ONCE.sub(first, data[:end]) + data[end:]


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
        False when it is any other request, or one whose end cannot be told (malformed, or too long).
    """
    if not (data.startswith(_METHOD) or _METHOD.startswith(data)):
        return False
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return len(data) < MAX_HEAD_BYTES
    target = _TARGET.match(data)
    if not target:
        return False
    if coded := _CODED.search(data[:end]):
        if coded.group(1).strip().lower() != b"chunked" or _LENGTH.search(data[:end]):
            return False
        return _split_chunked(data, end, has_body=bool(target.group(1)))
    return _split(data, end)


def _split(data: bytes, start: int) -> TakeoverRequest | bool:
    length = _LENGTH.search(data[:start])
    end = start + (int(length.group(1)) if length else 0)
    if len(data) < end:
        return end <= start + MAX_HEAD_BYTES
    return _parts(data[:start], data[start:end], data[end:])


def _parts(head: bytes, body: bytes, rest: bytes) -> TakeoverRequest:
    asked = _UPGRADE.search(head)
    upgrade = asked.group(1).decode("latin-1").strip() if asked else ""
    return TakeoverRequest(_UPGRADE.sub(b"", head) + body, rest, upgrade)


def _split_chunked(data: bytes, start: int, *, has_body: bool) -> TakeoverRequest | bool:
    """Set apart a request that says that its body comes in chunks.

    Where no body is due nothing is read of it, as with Docker: clients that keep the request open for their own bytes
    (docker-modem, for one) say so, and send no chunk.
    """
    head = _CODED.sub(b"", data[:start])
    if not has_body:
        return _parts(head, b"", data[start:])
    body, at, size = b"", start, -1
    while size:
        line = _CHUNK.match(data, at)
        if line is None:  # RFC 9112, 7.1: no size, or not all of it yet
            return b"\r\n" not in data[at : at + MAX_HEAD_BYTES] and len(data) - at < MAX_HEAD_BYTES
        size = int(line.group(1), 16)
        at = line.end() + size + 2
        if len(data) < at:
            return at <= start + MAX_HEAD_BYTES
        if data[at - 2 : at] != b"\r\n":  # it ends elsewhere, or trailers follow
            return False
        body += data[line.end() : at - 2]
    return _parts(head[:-2] + b"Content-Length: %d\r\n\r\n" % len(body), body, data[at:])
