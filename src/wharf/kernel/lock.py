"""flock(2): a lock that belongs to an open file, so it lives as long as anybody holds a copy of the descriptor."""

from __future__ import annotations

import fcntl
import os


def try_lock(path: str, mode: int = 0o600) -> int | None:
    """Return a descriptor that holds the exclusive lock of the file ``path``, made if missing; None when taken.

    The caller owns it; the lock is free again when the last copy of it, in any process, is closed.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def wait_lock(path: str, mode: int = 0o600) -> int:
    """Wait for the exclusive lock of the file ``path``, made if missing; return a descriptor that holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except BaseException:
        os.close(fd)
        raise
    return fd
