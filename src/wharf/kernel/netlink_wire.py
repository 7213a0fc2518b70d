"""How netlink messages are laid out: headers and attributes, written and read (netlink(7), linux/netlink.h)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from wharf.kernel import netlink_constants as c

HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")
_LITTLE = struct.pack("=H", 1) == b"\1\0"


class Request(NamedTuple):
    """One message to the kernel; ``what`` names it in errors."""

    kind: int
    flags: int
    body: bytes
    what: str


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one attribute."""
    return _ATTRIBUTE.pack(4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute that holds others."""
    return attribute(kind | c.NLA_F_NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """Return an attribute of a text."""
    return attribute(kind, value.encode() + b"\0")


def u16(kind: int, value: int) -> bytes:
    """Return an attribute of 16 bits."""
    return attribute(kind, struct.pack("=H", value))


def u32(kind: int, value: int) -> bytes:
    """Return an attribute of 32 bits."""
    return attribute(kind, struct.pack("=I", value))


def mac(kind: int, value: str) -> bytes:
    """Return an attribute of a MAC in its usual spelling."""
    return attribute(kind, bytes.fromhex(value.replace(":", "")))


def family(address: str) -> int:
    """Return AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ip(kind: int, address: str) -> bytes:
    """Return an attribute of an IPv4 or IPv6 address."""
    return attribute(kind, socket.inet_pton(family(address), address))


def pack(request: Request, flags: int, sequence: int) -> bytes:
    """Return ``request`` as bytes, padded so that another may follow."""
    length = HEADER.size + len(request.body)
    header = HEADER.pack(length, request.kind, flags | c.NLM_F_REQUEST, sequence, 0)
    return header + request.body + bytes(-length % 4)


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield kind, sequence and body of each message; a body begins with the two bytes of its flags."""
    offset = 0
    while offset + HEADER.size <= len(data):
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, offset)
        # The extended acknowledgement of an error follows the echoed header: keep the flags with the body.
        yield kind, sequence, struct.pack("=H", flags) + data[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def failure(body: bytes, what: str) -> OSError | None:
    """Return the error that the body of an NLMSG_ERROR or NLMSG_DONE tells of, with the kernel's words."""
    (flags,) = struct.unpack_from("=H", body)
    (code,) = struct.unpack_from("=i", body, 2)
    if code >= 0:
        return None
    words = ""
    if flags & c.NLM_F_ACK_TLVS:
        found = attributes(body[2 + 4 + HEADER.size :])
        words = found.get(c.NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(errors="replace")
    return OSError(-code, f"{os.strerror(-code)}: {words}" if words else os.strerror(-code), what)


def attributes(data: bytes) -> dict[int, bytes]:
    """Return attributes by kind."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & ~(c.NLA_F_NESTED | c.NLA_F_NET_BYTEORDER)] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def string(found: dict[int, bytes], kind: int) -> str:
    """Return the text of an attribute, '' when it is absent."""
    return found.get(kind, b"").rstrip(b"\0").decode(errors="replace")


def number(found: dict[int, bytes], kind: int) -> int:
    """Return the 32 bits of an attribute, 0 when it is absent."""
    return int.from_bytes(found.get(kind, b"")[:4], "little" if _LITTLE else "big")
