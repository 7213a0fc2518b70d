"""The loopback link of a new network namespace (netdevice(7)); all else about links is in netlink."""

from __future__ import annotations

import _socket
import fcntl
import struct

_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1


def set_loopback_up() -> None:
    """Set ``lo`` of this network namespace up; the kernel gives it 127.0.0.1 and ::1."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        fcntl.ioctl(sock.fileno(), _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    finally:
        sock.close()
