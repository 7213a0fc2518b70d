"""A file that names the daemon's process, for those who start and stop it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wharf.errors import Conflict


@contextmanager
def pidfile(path: Path) -> Iterator[None]:
    """Write our process id to ``path``, and remove it at the end.

    A lock on the file, not the number in it, tells whether its owner lives: a daemon that was killed leaves a file
    that the next one takes over.

    Raises:
        Conflict: a living process holds it.
        OSError: it cannot be written.
    """
    descriptor = _lock(path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                path.unlink()
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except BlockingIOError as error:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "?"
            os.close(descriptor)
            raise Conflict(f"pid file {path} is held by process {owner}: is wharfd running already?") from error
        except FileNotFoundError:
            pass  # its last owner removed it in between, as below
        os.close(descriptor)
