"""Detached overlay mounts of id-mapped layers (mount_setattr(2), "ID-mapped mounts"; Linux 5.19+).

A layer is mapped by a detached copy of its mount. Linux 6.15 takes such copies as they are; before, a layer must have
a place in the mount namespace of who mounts the overlay: so a process with a mount namespace of its own puts them
over what they are copies of, and hands back the overlay.

What overlay does in its folders by itself (a work folder, a file's copy) it does as who has mounted it, and the
mapped folders take files of mapped users alone: so their root must have mounted it.

For single-threaded processes.
"""

from __future__ import annotations

import _socket
import errno
import os

from wharf.kernel import mount, namespace, overlay, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.fsid import As
from wharf.kernel.mount import MountFlag
from wharf.kernel.namespace import Clone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Final, NoReturn

_PRIVATE_ALL: Final = int(MountFlag.REC | MountFlag.PRIVATE)
_TAKES_DETACHED: Final = (6, 15)
_LONGEST_BYTES: Final = 4096
_CLOSE_ON_EXEC: Final = _socket.MSG_CMSG_CLOEXEC


class Owner:
    """The user namespace whose mappings layers get: a descriptor of it, and the machine's ids of its root."""

    __slots__ = ("fd", "gid", "uid")

    def __init__(self, fd: int, uid: int, gid: int) -> None:
        self.fd = fd
        self.uid = uid
        self.gid = gid


class Layers:
    """What an overlay is made of; its parts are those of :func:`wharf.kernel.overlay.detached`.

    Attributes:
        lower: folders of the read-only layers, the uppermost first.
        beside: the folder that has ``upper`` and ``work``, which must be in one mount; "" without them.
        upper: the name of the folder that takes the writes.
        work: the name of its work folder.
        options: more options.
        attributes: MountAttr.
    """

    __slots__ = ("attributes", "beside", "lower", "options", "upper", "work")

    def __init__(
        self, lower: Sequence[str], upper: str, work: str, options: Mapping[str, str], attributes: int
    ) -> None:
        """Take the paths; ``upper`` and ``work`` are "" for an overlay that is read-only, else in one folder."""
        self.lower = lower
        self.beside, self.upper = os.path.split(upper)
        if os.path.dirname(work) != self.beside:
            raise ValueError("the upper and the work folder of an id-mapped overlay are beside each other")
        self.work = os.path.basename(work)
        self.options = options
        self.attributes = attributes

    def writable(self, beside: str) -> tuple[str | None, str | None]:
        """Return the paths of the upper and the work folder in ``beside``, where their folder may have a new name."""
        return (f"{beside}/{self.upper}", f"{beside}/{self.work}") if beside else (None, None)

    def mounted(self, lower: Sequence[str], beside: str, owner: Owner) -> int:
        """Return the detached overlay of these, the layers under other names, mounted by the root of ``owner``."""
        with As(owner.uid, owner.gid):
            return overlay.detached(lower, *self.writable(beside), options=self.options, attributes=self.attributes)


def detached(layers: Layers, owner: Owner) -> int:
    """Return the descriptor of a detached overlay mount, owned by the caller.

    Args:
        layers: what it is made of.
        owner: whose mappings they get.

    Raises:
        OSError: with what the kernel said; EINVAL where a file system has no id-mapped mounts.
    """
    return _here(layers, owner) if _release() >= _TAKES_DETACHED else aside(layers, owner)


def _release() -> tuple[int, ...]:
    return tuple(int("".join(c for c in part if c.isdigit()) or "0") for part in os.uname().release.split(".")[:2])


def _mapped(folder: str, owner: Owner) -> int:
    fd = mount.open_tree(folder)
    try:
        mount.map_ids(fd, owner.fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _here(layers: Layers, owner: Owner) -> int:
    opened: list[int] = []

    def mapped(folder: str) -> str:
        opened.append(_mapped(folder, owner))
        return f"/proc/self/fd/{opened[-1]}"

    try:
        lower = [mapped(folder) for folder in layers.lower]
        return layers.mounted(lower, mapped(layers.beside) if layers.beside else "", owner)
    finally:
        for fd in opened:
            os.close(fd)


def aside(layers: Layers, owner: Owner) -> int:
    """Do as :func:`detached`, also on kernels whose overlays take no detached layers."""
    here, there = unix_socket.pair()
    try:
        pid, pidfd = clone3(0)
        if pid == 0:
            _hand_back(there, lambda: _among_own_mounts(layers, owner))
        there.close()
        try:
            data, ancillary, _, _ = here.recvmsg(_LONGEST_BYTES, unix_socket.space_of(1), _CLOSE_ON_EXEC)
        finally:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
    finally:
        here.close()
        there.close()
    fds = unix_socket.descriptors(ancillary)
    if fds:
        return fds[0]
    number, _, said = data.decode(errors="replace").partition(" ")
    raise OSError(int(number or errno.ECHILD), said or "the process that mounts it has died")


def _hand_back(sock: unix_socket.Socket, make: Callable[[], int]) -> NoReturn:
    """Send what ``make`` returns, or why it could not, and end."""
    try:
        sock.sendmsg([b"made"], unix_socket.rights([make()]))
    except OSError as error:
        sock.send(f"{error.errno} {error.strerror}".encode())
    finally:
        os._exit(0)


def _among_own_mounts(layers: Layers, owner: Owner) -> int:
    namespace.unshare(Clone.NEWNS)
    mount.mount(None, "/", None, _PRIVATE_ALL)
    for folder in (*layers.lower, *([layers.beside] if layers.beside else [])):
        mount.move_mount(_mapped(folder, owner), folder)
    try:
        return layers.mounted(layers.lower, layers.beside, owner)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
    with As(owner.uid, owner.gid):
        overlay.attach(layers.lower[0], layers.lower, *layers.writable(layers.beside), options=layers.options)
    fd = mount.open_tree(layers.lower[0])
    if layers.attributes:
        mount.mount_setattr(fd, set_=layers.attributes)
    return fd
