"""Another container's mount, for one that shares it: its /dev/shm, with ``--ipc container:``.

Each container's mounts are in its own namespace alone, and a mount is copied only by who is in its namespace. So a
process goes there, copies it, and hands the copy over, which belongs to no namespace yet. It looks nothing up there:
what it copies has been found before, inside the other's root, whatever symlinks the other has made.
"""

from __future__ import annotations

import os

from wharf.kernel import mount, namespace, pidfd, prctl, unix_socket
from wharf.kernel.clone import clone3
from wharf.kernel.mount import OpenTree
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.openat2 import open_in_root
from wharf.runtime import conversation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

    from wharf.kernel.unix_socket import Socket

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_SAME: Final = int(OpenTree.EMPTY_PATH)


def copy_mount(pid: int, path: str, flags: int) -> int:
    """Return a detached copy, owned by the caller, of the mount at ``path`` in the root of process ``pid``.

    Only for a process with a single thread, which stays where it is.

    Args:
        pid: of the caller's pid namespace.
        path: as that process sees it.
        flags: OpenTree.CLONE, with or without what is mounted below.

    Raises:
        OSError: ESRCH: there is no such process; ENOENT: no such path; EPERM: not ours to enter.
    """
    process = pidfd.pidfd_open(pid)
    try:
        source = _find(pid, process, path)
        try:
            return _fetch(process, source, flags)
        finally:
            os.close(source)
    finally:
        os.close(process)


def _find(pid: int, process: int, path: str) -> int:
    root = os.open(f"/proc/{pid}/root", _FOLDER)
    try:
        pidfd.send_signal(process, 0)  # so it was there all along, and the id meant no other
        return open_in_root(root, path)
    finally:
        os.close(root)


def _fetch(process: int, source: int, flags: int) -> int:
    here, there = unix_socket.pair()
    try:
        child, child_fd = clone3(0)
        if child == 0:
            _copy(process, source, flags, there)
        there.close()
        try:
            fields, fds = conversation.receive(here)
        finally:
            os.waitid(os.P_PIDFD, child_fd, os.WEXITED)
            os.close(child_fd)
    finally:
        here.close()
        there.close()
    if fds:
        return fds[0]
    number = int(fields[0]) if fields else 5  # EIO: it was killed
    raise OSError(number, os.strerror(number))


def _copy(process: int, source: int, flags: int, sock: Socket) -> NoReturn:
    try:
        prctl.set_dumpable(dumpable=False)  # nobody there may have a look at us
        namespace.setns(process, FLAG_OF["mount"])
        copy = mount.open_tree("", flags | _SAME, dir_fd=source)
        conversation.send(sock, "copied", fds=[copy])
    except OSError as error:
        conversation.send(sock, str(error.errno))
    finally:
        os._exit(0)
