"""The loopback link of a new network namespace (netdevice(7)); all else about links is in netlink."""

from __future__ import annotations

import _socket

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

_SIOCSIFFLAGS = 0x8914
_IFF_UP = b"\x01\x00"  # little-endian, as both machines are
_LOOPBACK_UP = b"lo".ljust(16, b"\0") + _IFF_UP.ljust(24, b"\0")  # struct ifreq
_ioctl = libc.prototype("ioctl", ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, keep_gil=True)


def set_loopback_up() -> None:
    """Set ``lo`` of this network namespace up; the kernel gives it 127.0.0.1 and ::1."""
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        _ioctl(sock.fileno(), _SIOCSIFFLAGS, _LOOPBACK_UP)
    finally:
        sock.close()
