"""Unix sockets for processes whose start-up or memory is a budget: those of the C module, without ``socket``.

That module brings enum, selectors and others: half as much again as the interpreter itself takes to start. What
daemon and shim exchange is in :mod:`wharf.kernel.sockets`.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Final

    Socket = _socket.socket

    Ancillary = Iterable[tuple[int, int, bytes]]

_LONGEST_PATH: Final = 107  # bytes: sun_path less its NUL
_INT_BYTES: Final = 4

MOST_FDS: Final = 253  # SCM_MAX_FD


def pair() -> tuple[Socket, Socket]:
    """Return two connected SEQPACKET sockets, close-on-exec."""
    return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)


def listen(path: str) -> Socket:
    """Return a listening SEQPACKET socket at ``path``, however long; EADDRINUSE when something is there."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        at(path, sock.bind)
        sock.listen(1)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(path: str) -> Socket:
    """Return a SEQPACKET socket connected to ``path``; ECONNREFUSED when nobody listens there any more."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        at(path, sock.connect)
    except BaseException:
        sock.close()
        raise
    return sock


def accept(listener: Socket) -> Socket:
    """Wait for somebody to connect, and return the socket to them."""
    fd, _ = listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001 - what socket.accept is made of
    return _socket.socket(fileno=fd)


def wait_for_end(sock: Socket) -> None:
    """Sleep until the other end is closed, through all that arrives meanwhile, which is left to be received."""
    import select  # noqa: PLC0415 - start-up

    poll = select.poll()
    poll.register(sock, 0)  # POLLHUP is always told
    poll.poll()


def rights(fds: Sequence[int]) -> list[tuple[int, int, bytes]]:
    """Return what sendmsg takes to send copies of ``fds`` (unix(7), SCM_RIGHTS)."""
    # Not by the array module, which brings collections.
    packed = b"".join(fd.to_bytes(_INT_BYTES, sys.byteorder) for fd in fds)
    return [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)] if fds else []


def space_of(most_fds: int) -> int:
    """Return the room that recvmsg needs for so many descriptors."""
    return _socket.CMSG_SPACE(most_fds * _INT_BYTES)


def descriptors(ancillary: Ancillary) -> list[int]:
    """Return the descriptors that recvmsg has brought, owned by the caller."""
    packed = b"".join(
        brought[: len(brought) - len(brought) % _INT_BYTES]
        for level, kind, brought in ancillary
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)
    )
    pieces = (packed[start : start + _INT_BYTES] for start in range(0, len(packed), _INT_BYTES))
    return [int.from_bytes(piece, sys.byteorder) for piece in pieces]


def at(path: str, act: Callable[[str], None]) -> None:
    """Call ``act``, a socket's bind or connect, with ``path``, however long the name of its folder."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        act(path)
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        act(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)
