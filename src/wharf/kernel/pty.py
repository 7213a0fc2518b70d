"""Pseudoterminals in a given devpts, and their window sizes (pty(7), ioctl_tty(2))."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_TIOCSPTLCK: Final = 0x40045431
_TIOCGPTN: Final = 0x80045430
_TIOCGPTPEER: Final = 0x5441


def open_pair(ptmx: int) -> tuple[int, int, int]:
    """Return (master, slave, number) of a new terminal; ``ptmx``, an open ptmx device, becomes the master.

    The slave is opened without a path (TIOCGPTPEER, Linux 4.13+): a hostile /dev/pts cannot put another file there.
    Neither descriptor is anybody's controlling terminal yet.
    """
    fcntl.ioctl(ptmx, _TIOCSPTLCK, struct.pack("i", 0))
    number: int = struct.unpack("I", fcntl.ioctl(ptmx, _TIOCGPTN, bytes(4)))[0]
    slave = fcntl.ioctl(ptmx, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    return ptmx, slave, number


def set_window_size(terminal: int, rows: int, columns: int) -> None:
    """Set the size in characters; the foreground processes get SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def window_size(terminal: int) -> tuple[int, int]:
    """Return (rows, columns)."""
    rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    return rows, columns


def make_controlling(slave: int) -> None:
    """Make ``slave`` the controlling terminal of the calling session leader, which must have none (EPERM)."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
