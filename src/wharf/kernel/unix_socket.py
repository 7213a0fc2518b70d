"""Unix sockets for processes whose start-up is a budget: those of the C module, without ``socket`` around them.

That module brings enum, selectors and others: half as much again as the interpreter itself takes to start. What is
exchanged between daemon and shim has :mod:`wharf.kernel.sockets`.
"""

from __future__ import annotations

import _socket
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    Socket = _socket.socket

_LONGEST_PATH: Final = 107  # bytes: sun_path less its NUL


def pair() -> tuple[Socket, Socket]:
    """Return two connected SEQPACKET sockets, close-on-exec."""
    return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)


def listen(path: str) -> Socket:
    """Return a listening SEQPACKET socket at ``path``, however long; EADDRINUSE when something is there."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        _at(path, sock.bind)
        sock.listen(1)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(path: str) -> Socket:
    """Return a SEQPACKET socket connected to ``path``; ECONNREFUSED when nobody listens there any more."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        _at(path, sock.connect)
    except BaseException:
        sock.close()
        raise
    return sock


def accept(listener: Socket) -> Socket:
    """Wait for somebody to connect, and return the socket to them."""
    fd, _ = listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001 - what socket.accept is made of
    return _socket.socket(fileno=fd)


def _at(path: str, act: Callable[[str], None]) -> None:
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        act(path)
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        act(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)
