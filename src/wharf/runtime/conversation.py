"""What parent and init say to each other, over one SEQPACKET socketpair.

::

    parent ──"document"▶ embryo    only to one: the bundle's folder; config.json by SCM_RIGHTS
    parent ──"world"───▶ embryo    what the parent has opened for it, by SCM_RIGHTS (:mod:`wharf.runtime.embryo`)
    parent ──"groups"──▶ embryo    the control group, the same way
    parent ──"mapped"──▶ init      the user namespace's id maps are written
    parent ◀──"mounted"─ init      only with hooks: all is mounted, the root not yet entered
    parent ──"hooked"──▶ init      they have run
    parent ◀──"ready"─── init      everything is done but the exec; times of its steps, the console by SCM_RIGHTS
    parent ──"recorded"▶ init      only to one that waits in a socket of its own, where somebody else says the next
    parent ◀──"free"──── init      it does not die with the parent any more
    parent ──"start"───▶ init
    parent ◀──"failed"── init      at any time instead: kind and message; or, after "start", the end of the
                                   stream: execve has succeeded and closed it (close-on-exec)

The fields of a message are separated by NUL.
"""

from __future__ import annotations

import _socket as socket

from wharf.kernel import unix_socket
from wharf.runtime.errors import StartFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

_LONGEST_BYTES: Final = 16 * 1024
_KINDS: Final = ("not-found", "not-executable", "invalid", "other")


def send(sock: socket.socket, *fields: str, fds: Sequence[int] = ()) -> None:
    """Send a message, with copies of ``fds``."""
    data = "\0".join(fields).encode(errors="surrogateescape")[:_LONGEST_BYTES]
    sock.sendmsg([data], unix_socket.rights(fds), socket.MSG_NOSIGNAL)


def receive(sock: socket.socket, most_fds: int = 1) -> tuple[list[str], list[int]]:
    """Return the next message and its descriptors, owned by the caller; no fields at the end of the stream.

    Raises:
        StartFailed: it is "failed".
    """
    space = unix_socket.space_of(most_fds)
    try:
        data, ancillary, _, _ = sock.recvmsg(_LONGEST_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        # The other end went away with a message of ours unread: the kernel tells that once, before what it said last.
        data, ancillary, _, _ = sock.recvmsg(_LONGEST_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    fds = unix_socket.descriptors(ancillary)
    if not data:
        return [], []
    fields = data.decode(errors="surrogateescape").split("\0")
    if fields[0] == "failed":
        kind, message = fields[1], fields[2]
        raise StartFailed(kind if kind in _KINDS else "other", message)  # type: ignore[arg-type]  # checked just so
    return fields, fds


def expect(sock: socket.socket, word: str) -> None:
    """Receive the next message, which must be ``word``.

    Raises:
        StartFailed: it is another, or the stream has ended.
    """
    fields, _ = receive(sock)
    if fields != [word]:
        raise StartFailed("other", f'unable to start container process: expected "{word}", received {fields}')


def steps_to_field(us: dict[str, int]) -> str:
    """Return the times as one field."""
    return " ".join(f"{name}={value}" for name, value in us.items())


def steps_from_field(field: str) -> dict[str, int]:
    """Return what :func:`steps_to_field` was given."""
    return {name: int(value) for name, _, value in (item.partition("=") for item in field.split())}
