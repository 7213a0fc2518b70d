"""A container's terminal shown on ours, for ``run`` and ``exec`` in the foreground."""

from __future__ import annotations

import errno
import os
import select
import signal
import termios
import tty

from wharf.kernel import pty
from wharf.kernel.libc import suppress_errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_CHUNK_BYTES: Final = 1 << 16
_STDIN: Final = 0
_STDOUT: Final = 1


def relay(master: int) -> None:
    """Copy between our streams and the terminal ``master`` until its last user has closed it; ours is raw then."""
    before = _make_raw()
    if before is not None:
        _follow_size(master)
    try:
        _copy(master)
    finally:
        if before is not None:
            termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


def _make_raw() -> list[Any] | None:
    if not os.isatty(_STDIN):
        return None
    before = termios.tcgetattr(_STDIN)
    tty.setraw(_STDIN)
    return before


def _follow_size(master: int) -> None:
    def resize(*_: object) -> None:
        pty.set_window_size(master, *pty.window_size(_STDIN))

    resize()
    signal.signal(signal.SIGWINCH, resize)


def _copy(master: int) -> None:
    poll = select.poll()
    poll.register(master, select.POLLIN)
    poll.register(_STDIN, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            data = _read(fd)
            if data:
                _write_all(_STDOUT if fd == master else master, data)
            elif fd == master:
                return
            else:
                poll.unregister(fd)


def _read(fd: int) -> bytes:
    with suppress_errno(errno.EIO):  # a master whose slaves are all closed
        return os.read(fd, _CHUNK_BYTES)
    return b""


def _write_all(fd: int, data: bytes) -> None:
    with suppress_errno(errno.EIO):
        while data:
            data = data[os.write(fd, data) :]
