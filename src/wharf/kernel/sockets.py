"""Unix sockets: JSON datagrams with descriptors, and paths longer than sun_path takes (unix(7))."""

from __future__ import annotations

import array
import json
import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

_LONGEST_PATH: Final = 107  # bytes: sun_path less its NUL
_MOST_FDS: Final = 253  # SCM_MAX_FD
_INT_BYTES: Final = array.array("i").itemsize


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected SEQPACKET sockets, close-on-exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def bind(sock: socket.socket, path: str) -> None:
    """Bind ``sock`` to ``path``, however long its folder's name; EADDRINUSE when something is there."""
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock.bind(_short(path, folder))
    finally:
        os.close(folder)


def connect(sock: socket.socket, path: str) -> None:
    """Connect ``sock`` to ``path``; ECONNREFUSED when nobody listens there any more."""
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock.connect(_short(path, folder))
    finally:
        os.close(folder)


def _short(path: str, folder: int) -> str:
    return path if len(os.fsencode(path)) <= _LONGEST_PATH else f"/proc/self/fd/{folder}/{os.path.basename(path)}"


def send(sock: socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one JSON datagram and copies of ``fds``; the caller keeps its own.

    Raises:
        OSError: EMSGSIZE when it does not fit the socket's buffer; EPIPE or ECONNRESET when nobody reads any more;
            EAGAIN on a non-blocking socket whose peer is behind.
    """
    data = json.dumps(message, separators=(",", ":")).encode()
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)


def receive(
    sock: socket.socket, longest_bytes: int, most_fds: int = _MOST_FDS
) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next datagram and its descriptors (close-on-exec, owned by the caller); None at the end.

    Nothing is left open when this raises.

    Raises:
        ValueError: the datagram is longer, has more descriptors, or is not a JSON object.
        OSError: EAGAIN on a non-blocking socket with nothing to read.
    """
    data, ancillary, flags, _ = sock.recvmsg(
        longest_bytes, socket.CMSG_SPACE(most_fds * _INT_BYTES), socket.MSG_CMSG_CLOEXEC
    )
    fds = _descriptors(ancillary)
    if not data and not fds:
        return None
    try:
        return _parse(data, truncated=bool(flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC))), fds
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise


def _parse(data: bytes, *, truncated: bool) -> dict[str, Any]:
    if truncated:
        raise ValueError("datagram is too long or brings too many descriptors")
    message = json.loads(data)
    if isinstance(message, dict):
        return message
    raise ValueError("datagram is not a JSON object")


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    fds = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % _INT_BYTES])
    return fds.tolist()


def peer_credentials(sock: socket.socket) -> tuple[int, int, int]:
    """Return (pid, uid, gid) of who connected the other end (SO_PEERCRED)."""
    found = array.array("i")
    found.frombytes(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 3 * _INT_BYTES))
    pid, uid, gid = found
    return pid, uid, gid
