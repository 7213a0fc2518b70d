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


_clone3 = libc.syscall(435, ctypes.c_char_p, ctypes.c_size_t, keep_gil=True)


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
    flags |= _PIDFD | (0 if cgroup_fd is None else _INTO_CGROUP)
    signalled = 0 if flags & Clone.PARENT else _SIGCHLD  # with PARENT it is inherited, and clone3 wants 0
    # struct clone_args; after exit_signal: stack, its size, tls, set_tid, its size, cgroup
    arguments = libc.words(
        flags, ctypes.addressof(pidfd), 0, 0, signalled, 0, 0, 0, 0, 0, 0 if cgroup_fd is None else cgroup_fd
    )
    pid = _clone3(arguments, len(arguments))
    return (pid, pidfd.value) if pid else (0, -1)
