"""Questions to the resolver from within a sandbox."""

from __future__ import annotations

import secrets
import socket
import struct

from wharf.kernel import netns
from wharf.network.endpoint import Endpoint

_TYPES = {"A": 1, "PTR": 12, "AAAA": 28}


def question(name: str, kind: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        secrets.token_bytes(2)
        + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0)
        + labels
        + struct.pack("!BHH", 0, _TYPES[kind], 1)
    )


def ask(endpoint: Endpoint, name: str, kind: str = "A", *, stream: bool = False) -> tuple[int, list[bytes]]:
    """Ask from a sandbox; return the response code and the data of each answer."""
    kinds = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    asked = question(name, kind)
    with netns.within(endpoint.sandbox, lambda: socket.socket(socket.AF_INET, kinds)) as sock:
        sock.settimeout(30)
        sock.connect(("127.0.0.11", 53))
        sock.sendall(len(asked).to_bytes(2, "big") + asked if stream else asked)
        data = sock.recv(4096)[2 if stream else 0 :]
    assert data[:2] == asked[:2]
    _, flags, _, answers, _, _ = struct.unpack_from("!HHHHHH", data)
    found, offset = [], len(asked)
    for _ in range(answers):
        (length,) = struct.unpack_from("!H", data, offset + 10)
        found.append(data[offset + 12 : offset + 12 + length])
        offset += 12 + length
    return flags & 15, found


def ips(answer: tuple[int, list[bytes]]) -> set[str]:
    code, found = answer
    assert code == 0
    return {socket.inet_ntop(socket.AF_INET6 if len(data) == 16 else socket.AF_INET, data) for data in found}
