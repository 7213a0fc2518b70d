"""DNS messages: a query read, an answer written (RFC 1035; EDNS: RFC 6891). Pure."""

from __future__ import annotations

import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

A, PTR, OPT, AAAA, ANY = 1, 12, 41, 28, 255
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NOT_IMPLEMENTED = 0, 1, 2, 4
TTL_S = 30
_UDP_BYTES, _EDNS_BYTES = 512, 1232
_HEADER = struct.Struct("!HHHHHH")
_RESPONSE, _OPERATION, _TRUNCATED, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x8000, 0x7800, 0x0200, 0x0100, 0x0080
_TO_QUESTION = 0xC00C  # a pointer to the name right behind the header


class Query:
    """A question with what an answer must repeat."""

    __slots__ = ("edns_bytes", "flags", "id", "kind", "name", "question")

    def __init__(self, data: bytes) -> None:
        """Read ``data``.

        Raises:
            ValueError: it is not a query with one question.
        """
        try:
            self.id, self.flags, questions, answers, authorities, additional = _HEADER.unpack_from(data)
            if self.flags & 0xF800 or questions != 1:
                raise ValueError("not a query with one question")
            self.name, end = _name(data, _HEADER.size)
            self.kind, _ = struct.unpack_from("!HH", data, end)
        except (struct.error, IndexError) as error:
            raise ValueError("truncated") from error
        self.question = data[_HEADER.size : end + 4]
        self.edns_bytes = 0
        # An OPT record has the root's name: one zero byte. Ours is the first of the additional ones, as all send it.
        if additional and not answers and not authorities and data[end + 4 : end + 7] == b"\0\0\x29":
            self.edns_bytes = max(_UDP_BYTES, int.from_bytes(data[end + 7 : end + 9], "big"))


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """Return the lower-case name at ``offset``, without its last dot, and where it ends."""
    labels = []
    while length := data[offset]:
        if length > 63 or offset > 255 + _HEADER.size:
            raise ValueError("not a plain name")
        labels.append(data[offset + 1 : offset + 1 + length])
        offset += 1 + length
    return b".".join(labels).decode("ascii", "backslashreplace").lower(), offset + 1


def addresses(query: Query, found: Sequence[str], *, stream: bool = False) -> bytes:
    """Return the answer with those of the addresses that were asked for, maybe none."""
    records = []
    for address in found:
        family, kind = (socket.AF_INET6, AAAA) if ":" in address else (socket.AF_INET, A)
        if query.kind in (kind, ANY):
            records.append(_record(kind, socket.inet_pton(family, address)))
    return _answer(query, NO_ERROR, records, stream=stream)


def pointer(query: Query, name: str, *, stream: bool = False) -> bytes:
    """Return the answer that an address is that of ``name``."""
    labels = [label.encode()[:63] for label in name.split(".") if label]
    data = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return _answer(query, NO_ERROR, [_record(PTR, data)], stream=stream)


def failure(query: Query, code: int = SERVER_FAILURE) -> bytes:
    """Return the answer that there is none."""
    return _answer(query, code, [], stream=True)


def refusal(data: bytes) -> bytes:
    """Return the answer to ``data``, which is no :class:`Query`: a header alone; b'' when none is due."""
    if len(data) < _HEADER.size or data[2] & 0x80:  # an answer is never answered, or two resolvers go on for ever
        return b""
    identity, flags = struct.unpack_from("!HH", data)
    code = NOT_IMPLEMENTED if flags & _OPERATION else FORMAT_ERROR
    return _HEADER.pack(identity, _RESPONSE | flags & (_OPERATION | _RECURSION_DESIRED) | code, 0, 0, 0, 0)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("!HHHIH", _TO_QUESTION, kind, 1, TTL_S, len(data)) + data


def _answer(query: Query, code: int, records: list[bytes], *, stream: bool) -> bytes:
    opt = struct.pack("!BHHIH", 0, OPT, _EDNS_BYTES, 0, 0) if query.edns_bytes else b""
    room = (65535 if stream else query.edns_bytes or _UDP_BYTES) - _HEADER.size - len(query.question) - len(opt)
    kept: list[bytes] = []
    for record in records:
        room -= len(record)
        if room < 0:
            break
        kept.append(record)
    cut = _TRUNCATED if len(kept) < len(records) else 0
    flags = _RESPONSE | _RECURSION_AVAILABLE | (query.flags & _RECURSION_DESIRED) | cut | code
    header = _HEADER.pack(query.id, flags, 1, len(kept), 0, 1 if opt else 0)
    return header + query.question + b"".join(kept) + opt


def address_of(name: str) -> str:
    """Return the address that a name below in-addr.arpa or ip6.arpa stands for; '' for another name."""
    if name.endswith(".in-addr.arpa"):
        parts = name.removesuffix(".in-addr.arpa").split(".")
        text, family = ".".join(reversed(parts)), socket.AF_INET
    elif name.endswith(".ip6.arpa"):
        digits = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
        text, family = ":".join(digits[i : i + 4] for i in range(0, len(digits), 4)), socket.AF_INET6
    else:
        return ""
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    except OSError:
        return ""
