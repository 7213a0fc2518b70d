"""Unix sockets between daemon and shim: JSON datagrams with descriptors (unix(7))."""

from __future__ import annotations

import _socket
import os
import sys

from wharf.kernel import unix_socket
from wharf.lib import light_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from typing import Any, Final

_CREDENTIALS: Final = 3  # struct ucred: pid, uid, gid
_INT_BYTES: Final = 4


class DescriptorsLost(ValueError):
    """The datagram brought more descriptors than this process may have; ``message`` is the rest of it."""

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__("too many open files, or datagram brings too many descriptors")
        self.message = message


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected SEQPACKET sockets, close-on-exec, as an event loop wants them."""
    import socket  # noqa: PLC0415  # memory: a shim has those of unix_socket

    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def bind(sock: _socket.socket, path: str) -> None:
    """Bind ``sock`` to ``path``, however long its folder's name; EADDRINUSE when something is there."""
    unix_socket.at(path, sock.bind)


def connect(sock: _socket.socket, path: str) -> None:
    """Connect ``sock`` to ``path``; ECONNREFUSED when nobody listens there any more."""
    unix_socket.at(path, sock.connect)


def send(sock: _socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one JSON datagram and copies of ``fds``; the caller keeps its own.

    Raises:
        OSError: EMSGSIZE when it does not fit the socket's buffer; EPIPE or ECONNRESET when nobody reads any more;
            EAGAIN on a non-blocking socket whose peer is behind.
    """
    # Names of files need not be UTF-8; Python holds what is not in surrogates.
    data = light_json.dumps(message).encode(errors="surrogatepass")
    sock.sendmsg([data], unix_socket.rights(fds), _socket.MSG_NOSIGNAL)


def receive(
    sock: _socket.socket, longest_bytes: int, most_fds: int = unix_socket.MOST_FDS
) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next datagram and its descriptors (close-on-exec, owned by the caller); None at the end.

    Nothing is left open when this raises.

    Raises:
        DescriptorsLost: it has more descriptors, or this process can have no more of them.
        ValueError: the datagram is longer, or is not a JSON object.
        OSError: EAGAIN on a non-blocking socket with nothing to read.
    """
    data, ancillary, flags, _ = sock.recvmsg(longest_bytes, unix_socket.space_of(most_fds), _socket.MSG_CMSG_CLOEXEC)
    fds = unix_socket.descriptors(ancillary)
    if not data and not fds:
        return None
    try:
        message = _parse(data, truncated=bool(flags & _socket.MSG_TRUNC))
        if flags & _socket.MSG_CTRUNC:
            raise DescriptorsLost(message)  # noqa: TRY301  # to close what did come
    except BaseException:
        for fd in fds:
            os.close(fd)
        raise
    return message, fds


def _parse(data: bytes, *, truncated: bool) -> dict[str, Any]:
    if truncated:
        raise ValueError("datagram is too long")
    message = light_json.loads(data.decode(errors="surrogatepass"))
    if isinstance(message, dict):
        return message
    raise ValueError("datagram is not a JSON object")


def peer_credentials(sock: _socket.socket) -> tuple[int, int, int]:
    """Return (pid, uid, gid) of who connected the other end (SO_PEERCRED)."""
    found = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS * _INT_BYTES)
    pid, uid, gid = (
        int.from_bytes(found[start : start + _INT_BYTES], sys.byteorder, signed=True)
        for start in range(0, len(found), _INT_BYTES)
    )
    return pid, uid, gid
