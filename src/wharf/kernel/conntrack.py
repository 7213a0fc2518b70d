"""Forgetting tracked UDP flows (nfnetlink_conntrack; linux/netfilter/nfnetlink_conntrack.h).

A flow is translated as its first packet was: when a port is published or withdrawn, flows that go on without a pause
would keep the old translation for ever. TCP has no such flows: a connection ends with its server.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

_NETLINK_NETFILTER = 12
_HEADER, _FAMILY = struct.Struct("=IHHII"), struct.Struct("!BBH")
_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_TUPLE_ORIG, _TUPLE_REPLY = 1, 2
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_SOURCE: dict[int, int] = {socket.AF_INET: 1, socket.AF_INET6: 3}
_DESTINATION: dict[int, int] = {socket.AF_INET: 2, socket.AF_INET6: 4}
_PROTO_NUM, _PROTO_DST_PORT = 1, 3
_NESTED = 0x8000


class Flow(NamedTuple):
    """A tracked flow."""

    destination: str  # as its sender wrote it
    port: int
    answered_by: str  # who answers, after translation


def forget_udp(unwanted: Callable[[Flow], bool]) -> int:
    """Forget the UDP flows for which ``unwanted`` is true, in this thread's network namespace; return how many.

    Raises:
        OSError: EINVAL or EOPNOTSUPP on a kernel without nfnetlink_conntrack.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        netlink.send(_message(_GET, _REQUEST | _DUMP, b""))
        found = [flow for flow in [_parse(*entry) for entry in _dump(netlink)] if flow is not None]
        stale = [(family, original) for family, original, flow in found if unwanted(flow)]
        for family, original in stale:
            attribute = _attribute(_TUPLE_ORIG | _NESTED, original)
            netlink.send(_message(_DELETE, _REQUEST | _ACK, attribute, family))
            _acknowledged(netlink.recv(65536))
    return len(stale)


def _message(kind: int, flags: int, attributes: bytes, family: int = socket.AF_UNSPEC) -> bytes:
    body = _FAMILY.pack(family, 0, 0) + attributes
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body


def _attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def _dump(netlink: socket.socket) -> Iterator[tuple[int, bytes]]:
    while True:
        data, offset = netlink.recv(1 << 18), 0
        while offset < len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            body = data[offset + _HEADER.size : offset + length]
            if kind == _DONE:
                return
            if kind == _ERROR:
                _raise(body)
            yield body[0], body[_FAMILY.size :]
            offset += (length + 3) & ~3


def _acknowledged(data: bytes) -> None:
    _raise(data[_HEADER.size :])


def _raise(body: bytes) -> None:
    (code,) = struct.unpack_from("=i", body)
    if code not in (0, -errno.ENOENT):  # ENOENT: it ended by itself meanwhile
        raise OSError(-code, os.strerror(-code), "conntrack")


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def _parse(family: int, data: bytes) -> tuple[int, bytes, Flow] | None:
    """Return family, original tuple (by it the kernel knows the flow) and what it says; None for what is not UDP."""
    attributes = _attributes(data)
    original = attributes[_TUPLE_ORIG]
    there, back = _attributes(original), _attributes(attributes[_TUPLE_REPLY])
    protocol = _attributes(there[_TUPLE_PROTO])
    if protocol[_PROTO_NUM][0] != socket.IPPROTO_UDP or family not in _SOURCE:
        return None
    flow = Flow(
        destination=socket.inet_ntop(family, _attributes(there[_TUPLE_IP])[_DESTINATION[family]]),
        port=int.from_bytes(protocol[_PROTO_DST_PORT][:2], "big"),
        answered_by=socket.inet_ntop(family, _attributes(back[_TUPLE_IP])[_SOURCE[family]]),
    )
    return family, original, flow
