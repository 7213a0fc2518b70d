"""Files and folders that are not whole yet: each is locked by who makes it, so that what a kill has left is known.

The lock is flock(2)'s, on the draft itself: the kernel lets go of it with the process, whatever that dies of.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from wharf.errors import InvalidArgument

_DRAFT = ".wharf-part-"
_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic link directly",
    stat.S_IFIFO: "named pipe (FIFO)",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device file",
    stat.S_IFBLK: "block device file",
}


class NotReplaceable(InvalidArgument):
    """Something else than a file has the name that one shall have: a device, for one, which must stay."""


@contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of ``path`` in the end; nothing has changed if that raises.

    Raises:
        NotReplaceable: something else than a file has that name.
        OSError: the file cannot be made.
    """
    if (kind := _KINDS.get(_kind(path))) is not None:
        raise NotReplaceable(f"cannot write to a {kind}")
    parent = os.path.dirname(path) or "."
    sweep(parent, _DRAFT)
    draft, fd = draft_file(parent, _DRAFT)
    with open(fd, "wb") as file:
        try:
            yield file
            file.flush()
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise


def _kind(path: str) -> int:
    """Return the type of what is there (S_IFMT); zero for nothing."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return 0


@contextmanager
def draft_folder(parent: str, prefix: str) -> Iterator[str]:
    """Yield the path of a new, empty folder in ``parent``; it goes in the end, unless it was renamed.

    Raises:
        OSError: it cannot be made.
    """
    path, fd = _claimed(parent, prefix, _folder)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(fd)


def draft_file(parent: str, prefix: str) -> tuple[str, int]:
    """Return the path of a new file in ``parent``, and a descriptor to write to it, whose end gives it up.

    Raises:
        OSError: it cannot be made.
    """
    return _claimed(parent, prefix, _file)


def sweep(parent: str, prefix: str) -> None:
    """Remove the drafts in ``parent`` of those who are no more; others stay, and what cannot be removed does."""
    try:
        found = [entry.path for entry in os.scandir(parent) if entry.name.startswith(prefix)]
    except OSError:  # there is no such folder, or it is not for us to look into
        return
    for path in found:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # it is gone, or no draft of ours
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody is at it
            continue
        else:
            _remove(path, fd)
        finally:
            os.close(fd)


def _remove(path: str, fd: int) -> None:
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        os.unlink(path)
    except OSError:  # another who sweeps was first
        return


def _claimed(parent: str, prefix: str, make: Callable[[str], int | None]) -> tuple[str, int]:
    """Make drafts until one is locked that nobody has swept before that."""
    while True:
        path = os.path.join(parent, f"{prefix}{secrets.token_hex(8)}")
        fd = make(path)
        if fd is None:
            continue
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.path.exists(path):
            return path, fd
        os.close(fd)


def _folder(path: str) -> int | None:
    """Return a new folder, open; None: it was swept before it was."""
    os.mkdir(path, 0o700)
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def _file(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
