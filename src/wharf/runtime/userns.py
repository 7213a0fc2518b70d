"""User namespaces: those given by their path, and those made for their mappings alone.

Whoever goes into one stays in: so a process goes ahead and clones init from there. The same way leads into other
namespaces where the caller could not come back: root of a user namespace may not enter those of the machine.
"""

from __future__ import annotations

import _socket as socket
import errno
import os

from wharf.kernel import namespace, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.namespace import Clone
from wharf.runtime import namespaces
from wharf.runtime.errors import StartFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, NoReturn

_LONGEST_BYTES: Final = 4096
_PARENT: Final = int(Clone.PARENT)
_NEWNET: Final = int(Clone.NEWNET)
_NEWUSER: Final = int(Clone.NEWUSER)


def clone_inside(path: str, flags: int, *, cgroup_fd: int | None) -> tuple[int, int]:
    """Fork into the user namespace ``path`` and, owned by it, new namespaces ``flags``: as clone3 does.

    Raises:
        StartFailed: it cannot be joined.
        OSError: as :func:`wharf.kernel.clone.clone3`.
    """
    return clone_ahead(lambda: namespaces.join("user", path), flags, cgroup_fd=cgroup_fd)


def clone_ahead(join: Callable[[], None], flags: int, *, cgroup_fd: int | None) -> tuple[int, int]:
    """Fork a process that calls ``join`` and then clones with ``flags``; as clone3 returns, but its child.

    Raises:
        StartFailed: from ``join``.
        OSError: as :func:`wharf.kernel.clone.clone3`.
    """
    here, there = unix_socket.pair()
    try:
        ahead, ahead_fd = clone3(0, cgroup_fd=cgroup_fd)
        if ahead == 0:
            _go_ahead(join, flags, there)
            return 0, -1
        there.close()
        try:
            return _received(here)
        finally:
            os.waitid(os.P_PIDFD, ahead_fd, os.WEXITED)
            os.close(ahead_fd)
    finally:
        here.close()
        there.close()


def make(uid_map: str, gid_map: str, *, network: bool = False) -> int:
    """Return a descriptor, owned by the caller, of a new user namespace with these mappings, and nobody in it.

    With ``network``: of a new network namespace that belongs to it, and keeps it.

    Raises:
        OSError: the kernel takes no such mappings (EINVAL), or there are too many namespaces.
    """
    reader, writer = os.pipe()
    try:
        pid, pidfd = clone3(_NEWUSER | (_NEWNET if network else 0))
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        namespaces.write_map(pid, "uid_map", uid_map)
        namespaces.write_map(pid, "gid_map", gid_map)
        return os.open(f"/proc/{pid}/ns/{'net' if network else 'user'}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(reader)
        os.close(writer)
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)


def make_network(user: int) -> int:
    """Return a descriptor, owned by the caller, of a new network namespace of the user namespace ``user``'s.

    Raises:
        OSError: that is none, or there are too many namespaces.
    """
    here, there = unix_socket.pair()
    try:
        pid, pidfd = clone3(0)
        if pid == 0:
            _send_network(there, user)
        there.close()
        try:
            said, fds = _message(here)
        finally:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
            os.close(pidfd)
    finally:
        here.close()
        there.close()
    if not fds:
        number = int(said or errno.ECHILD)
        raise OSError(number, os.strerror(number))
    return fds[0]


def _send_network(sock: socket.socket, user: int) -> NoReturn:
    try:
        namespace.setns(user, _NEWUSER)
        namespace.unshare(_NEWNET)
        _end(sock, b"made", os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        _end(sock, str(error.errno).encode())


def _go_ahead(join: Callable[[], None], flags: int, sock: socket.socket) -> None:
    """Return as the new process; the one that made it ends here."""
    try:
        join()
        pid, pidfd = clone3(flags | _PARENT)
    except StartFailed as error:
        _end(sock, error.message.encode())
    except OSError as error:
        _end(sock, f"unable to start container process: {os.strerror(error.errno or 0).lower()}".encode())
    if pid:
        _end(sock, b"cloned", pidfd)


def _end(sock: socket.socket, message: bytes, fd: int = -1) -> NoReturn:
    try:
        sock.sendmsg([message], unix_socket.rights([] if fd == -1 else [fd]), socket.MSG_NOSIGNAL)
    finally:
        os._exit(0)


def _received(sock: socket.socket) -> tuple[int, int]:
    said, fds = _message(sock)
    if not fds:
        raise StartFailed("other", said or "unable to start container process: it died on its way")
    return _pid_of(fds[0]), fds[0]


def _message(sock: socket.socket) -> tuple[str, list[int]]:
    data, ancillary, _, _ = sock.recvmsg(_LONGEST_BYTES, unix_socket.space_of(1), socket.MSG_CMSG_CLOEXEC)
    return data.decode(errors="replace"), unix_socket.descriptors(ancillary)


def _pid_of(pidfd: int) -> int:
    """Return the id, in our namespace, of the process behind ``pidfd`` (pidfd_open(2))."""
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))
