"""openat2(2) (Linux 5.6+): open a path so that it cannot leave a folder: how paths in a container are opened."""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Resolve:
    """RESOLVE_* of openat2(2)."""

    NO_XDEV = 0x01
    NO_MAGICLINKS = 0x02
    NO_SYMLINKS = 0x04
    BENEATH = 0x08
    IN_ROOT = 0x10
    CACHED = 0x20


_openat2 = libc.syscall(437, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, path=1, keep_gil=True)
_IN_ROOT: Final = int(Resolve.IN_ROOT | Resolve.NO_MAGICLINKS)
_MOST_RACES: Final = 128
_MOST_SYMLINKS: Final = 40


def openat2(dir_fd: int, path: str, flags: int, *, mode: int = 0, resolve: int = 0) -> int:
    """Return a close-on-exec descriptor of ``path`` below ``dir_fd``, owned by the caller.

    The kernel answers EAGAIN when a rename raced with a ".."; it is asked again.
    """
    how = libc.words(flags | os.O_CLOEXEC, mode, resolve)  # struct open_how
    encoded = os.fsencode(path)
    for _ in range(_MOST_RACES):
        try:
            return _openat2(dir_fd, encoded, how, len(how))
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                raise
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), path)


def open_in_root(root_fd: int, path: str, flags: int = os.O_PATH, mode: int = 0) -> int:
    """Open ``path`` as a process would whose root directory is ``root_fd``: symlinks and ".." stay inside.

    The caller owns the descriptor. Magic links of /proc are refused (ELOOP).
    """
    return openat2(root_fd, path or "/", flags, mode=mode, resolve=_IN_ROOT)


def open_beneath(top_fd: int, path: str, flags: int = os.O_PATH) -> int:
    """Open ``path`` below ``top_fd``; the caller owns the descriptor.

    Raises:
        OSError: EXDEV when a symlink, an absolute one for example, or ".." leads out of there.
    """
    return openat2(top_fd, path, flags, resolve=Resolve.BENEATH | Resolve.NO_MAGICLINKS)


def open_plain_folder(root_fd: int, path: str) -> int:
    """Return an O_PATH descriptor of the folder ``path`` inside ``root_fd``, made if missing, reached by no symlink.

    Raises:
        OSError: ELOOP when a part of the path is a symlink, ENOTDIR when it is something else.
    """
    os.close(ensure_folder(root_fd, path))
    return openat2(root_fd, path, os.O_PATH | os.O_DIRECTORY, resolve=_IN_ROOT | Resolve.NO_SYMLINKS)


def is_there(root_fd: int, path: str) -> bool:
    """Return whether there is anything at ``path`` inside ``root_fd``; a symlink that leads nowhere is nothing."""
    try:
        os.close(open_in_root(root_fd, path, os.O_PATH))
    except FileNotFoundError:
        return False
    return True


def ensure_folder(root_fd: int, path: str, mode: int = 0o755) -> int:
    """Return an O_PATH descriptor of the folder ``path`` inside ``root_fd``; make what is missing of it.

    Raises:
        OSError: ENOTDIR when something else has that name; ELOOP for a loop of symlinks.
    """
    return _ensure(root_fd, path, mode, os.O_DIRECTORY, _MOST_SYMLINKS)


def ensure_file(root_fd: int, path: str, mode: int = 0o644) -> int:
    """Return an O_PATH descriptor of ``path`` inside ``root_fd``; make an empty file (and its folders) if missing."""
    return _ensure(root_fd, path, mode, 0, _MOST_SYMLINKS)


def ensure_like(root_fd: int, path: str, *, folder: bool) -> int:
    """Return an O_PATH descriptor of ``path``, a folder or not, inside ``root_fd``; make it if it is missing.

    Raises:
        NotADirectoryError: what is there is the other of the two.
    """
    if folder:
        return ensure_folder(root_fd, path)
    found = ensure_file(root_fd, path)
    if stat.S_ISDIR(os.fstat(found).st_mode):
        os.close(found)
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return found


def _ensure(root_fd: int, path: str, mode: int, kind: int, symlinks: int) -> int:
    try:
        return open_in_root(root_fd, path, os.O_PATH | kind)
    except FileNotFoundError:
        if symlinks == 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path) from None
    parent_path, _, name = path.rstrip("/").rpartition("/")
    if name in ("", ".", ".."):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    parent = _ensure(root_fd, parent_path, 0o755, os.O_DIRECTORY, symlinks)
    try:
        target = _make(parent, name, mode, kind)
    finally:
        os.close(parent)
    if target is not None:  # a symlink to a name that is missing: make that, still inside the root
        path = target if target.startswith("/") else f"{parent_path}/{target}"
    return _ensure(root_fd, path, mode, kind, symlinks - 1)


def _make(parent: int, name: str, mode: int, kind: int) -> str | None:
    """Make ``name``; when it exists as a symlink, return where that points."""
    try:
        if kind == os.O_DIRECTORY:
            os.mkdir(name, mode, dir_fd=parent)
        else:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, mode, dir_fd=parent))
    except FileExistsError:
        try:
            return os.readlink(name, dir_fd=parent)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None  # somebody made it meanwhile
            raise
    return None
