"""The beginning of an SCTP association by raw sockets: this kernel may have no SCTP of its own (RFC 9260)."""

from __future__ import annotations

import socket
import struct

from tests.root.network.machines import open_in

_PROTOCOL = 132
_INIT, _INIT_ACK = 1, 2
_CLIENT_PORT = 40123


def associate(server: str, port: int, client: str, to: tuple[str, int]) -> None:
    """Send INIT from the namespace ``client`` to a published port, and see the answer come back from there."""
    with _raw(server, to[0]) as heard, _raw(client, to[0]) as asking:
        asking.sendto(_packet(_CLIENT_PORT, to[1], 0, _INIT), (to[0], 0))
        source, data = _next(heard, port)
        seen, _, _, _ = struct.unpack_from("!HHII", data)
        heard.sendto(_packet(port, seen, 7, _INIT_ACK), (source, 0))
        source, data = _next(asking, _CLIENT_PORT)
        answered_by, _, tag, _ = struct.unpack_from("!HHII", data)
        assert (source, answered_by, tag, data[12]) == (to[0], to[1], 7, _INIT_ACK)


def _raw(place: str, address: str) -> socket.socket:
    return open_in(place, socket.SOCK_RAW, address, _PROTOCOL)


def _next(sock: socket.socket, port: int) -> tuple[str, bytes]:
    """The next packet for that port: a raw socket hears those of others too."""
    while True:
        data, sender = sock.recvfrom(4096)
        if sock.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]
        if struct.unpack_from("!H", data, 2) == (port,):
            return str(sender[0]), data


def _packet(source: int, destination: int, tag: int, kind: int) -> bytes:
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20, 7, 65536, 1, 1, 1)
    head = struct.pack("!HHI", source, destination, tag)
    return head + struct.pack("<I", _crc32c(head + bytes(4) + chunk)) + chunk


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
