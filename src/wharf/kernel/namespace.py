"""Namespaces: their flags, unshare(2) and setns(2), also by pidfd (Linux 5.8+).

A process with a second thread gets EINVAL for user and mount namespaces: only single-threaded processes come here.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes
from wharf.kernel.libc import suppress_errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Clone:
    """CLONE_* of clone(2), clone3, unshare(2) and setns(2)."""

    NEWTIME = 0x00000080
    PIDFD = 0x00001000
    VFORK = 0x00004000
    PARENT = 0x00008000
    NEWNS = 0x00020000
    NEWCGROUP = 0x02000000
    NEWUTS = 0x04000000
    NEWIPC = 0x08000000
    NEWUSER = 0x10000000
    NEWPID = 0x20000000
    NEWNET = 0x40000000
    INTO_CGROUP = 0x200000000


FLAG_OF: Final = {
    "cgroup": 0x02000000,
    "ipc": 0x08000000,
    "mount": 0x00020000,
    "network": 0x40000000,
    "pid": 0x20000000,
    "time": 0x00000080,
    "user": 0x10000000,
    "uts": 0x04000000,
}
"""A namespace's type as the runtime specification spells it → its CLONE_NEW* flag."""

FILE_OF: Final = {
    "cgroup": "cgroup",
    "ipc": "ipc",
    "mount": "mnt",
    "network": "net",
    "pid": "pid",
    "time": "time",
    "user": "user",
    "uts": "uts",
}
"""A namespace's type → its name in /proc/<pid>/ns (namespaces(7))."""

_unshare = libc.prototype("unshare", ctypes.c_int)
_setns = libc.prototype("setns", ctypes.c_int, ctypes.c_int)


def unshare(flags: int) -> None:
    """Go into new namespaces (NEWPID, NEWTIME: its children only); see the manual, section 2."""
    _unshare(flags)


def setns(fd: int, flags: int) -> None:
    """Join the namespace ``fd``, or the namespaces ``flags`` of the process whose pidfd it is.

    NEWPID applies to children only.
    """
    _setns(fd, flags)


def members(kind: str, pid: int) -> list[int]:
    """Return the processes in the same namespace of type ``kind`` (of FILE_OF) as process ``pid``, itself included.

    Raises:
        OSError: ENOENT: there is no such process.
    """
    wanted = os.readlink(f"/proc/{pid}/ns/{FILE_OF[kind]}")
    found: list[int] = []
    for name in os.listdir("/proc"):
        with suppress_errno(errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM):
            if name.isdigit() and os.readlink(f"/proc/{name}/ns/{FILE_OF[kind]}") == wanted:
                found.append(int(name))
    return sorted(found)
