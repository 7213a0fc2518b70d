"""clone3(2): fork straight into namespaces and a cgroup, and get a pidfd for it.

os.fork would do the same in four steps and run at-fork hooks. Only for single-threaded processes: the child
starts with what the calling thread held, and no hook repairs the interpreter. The call keeps the interpreter's
lock, so that the child owns it.
"""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes
from wharf.kernel.namespace import Clone
from wharf.kernel.signals import raw as signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PIDFD: Final = int(Clone.PIDFD)
_INTO_CGROUP: Final = int(Clone.INTO_CGROUP)
_SIGCHLD: Final = int(signal.SIGCHLD)


class _CloneArguments(ctypes.Structure):
    """struct clone_args of clone3(2), as of Linux 5.7."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("pidfd", ctypes.c_uint64),
        ("child_tid", ctypes.c_uint64),
        ("parent_tid", ctypes.c_uint64),
        ("exit_signal", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("stack_size", ctypes.c_uint64),
        ("tls", ctypes.c_uint64),
        ("set_tid", ctypes.c_uint64),
        ("set_tid_size", ctypes.c_uint64),
        ("cgroup", ctypes.c_uint64),
    )


_clone3 = libc.syscall(435, ctypes.POINTER(_CloneArguments), ctypes.c_size_t, keep_gil=True)


def clone3(flags: int, *, cgroup_fd: int | None = None) -> tuple[int, int]:
    """Fork into the new namespaces ``flags``. Return (pid, pidfd) in the parent, (0, -1) in the child.

    The parent owns the pidfd (close-on-exec) and gets SIGCHLD, or its parent does with Clone.PARENT.

    Args:
        flags: :class:`wharf.kernel.namespace.Clone`; PIDFD is added.
        cgroup_fd: the folder of a cgroup v2 in which the child starts.

    Raises:
        OSError: EPERM without the right to make namespaces, ENOSPC at a limit of user.max_*_namespaces(7), EAGAIN at
            a limit of processes, EBUSY or EOPNOTSUPP for a cgroup that takes no processes.
    """
    pidfd = ctypes.c_int(-1)
    arguments = _CloneArguments(flags=flags | _PIDFD, pidfd=ctypes.addressof(pidfd))
    if not flags & Clone.PARENT:  # the exit signal is then inherited, and clone3 wants 0
        arguments.exit_signal = _SIGCHLD
    if cgroup_fd is not None:
        arguments.flags |= _INTO_CGROUP
        arguments.cgroup = cgroup_fd
    pid = _clone3(arguments, ctypes.sizeof(arguments))
    return (pid, pidfd.value) if pid else (0, -1)
