"""Whole folders: walked, measured, removed; without recursion, for others decide how deep. Nothing is followed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from wharf.kernel import btrfs
from wharf.kernel.owner import give

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MTAB: Final = b"etc/mtab"
"""Where containers have a link whose image has none."""


@contextmanager
def opened_folder(path: Path | str | bytes, dir_fd: int | None = None) -> Iterator[int]:
    """Open a folder, also by its name in the one of descriptor ``dir_fd``; a symlink in its place is refused."""
    fd = os.open(path, FOLDER, dir_fd=dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


class Node(NamedTuple):
    """One name below the folder walked; ``folder_fd`` belongs to the walk and is valid until its next step."""

    path: bytes  # relative to the top
    folder_fd: int
    name: bytes
    status: os.stat_result


class _Level(NamedTuple):
    path: bytes
    names: list[bytes]  # still to be visited, the next one last
    inode: int


def walk(top: int) -> Iterator[Node]:
    """Yield everything below the folder ``top``, each folder before what is in it, names in byte order.

    Holds one descriptor, not one a level: it goes up by "..", and checks that it comes out where it went in.

    Raises:
        OSError: ESTALE when a folder was moved meanwhile; what disappears is passed over.
    """
    fd = os.open(".", FOLDER, dir_fd=top)
    levels = [_level(fd, b"")]
    try:
        while levels:
            level = levels[-1]
            if not level.names:
                levels.pop()
                if levels:
                    fd = _up(fd, levels[-1].inode)
                continue
            node = _node(fd, level)
            if node is None:
                continue
            yield node
            if stat.S_ISDIR(node.status.st_mode) and (inner := _open(fd, node.name)) is not None:
                os.close(fd)
                fd = inner
                levels.append(_level(fd, node.path + b"/"))
    finally:
        os.close(fd)


def _node(fd: int, level: _Level) -> Node | None:
    name = level.names.pop()
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Node(level.path + name, fd, name, status)


def _open(fd: int, name: bytes) -> int | None:
    try:
        return os.open(name, FOLDER, dir_fd=fd)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _level(fd: int, path: bytes) -> _Level:
    return _Level(path, sorted(map(os.fsencode, os.listdir(fd)), reverse=True), os.fstat(fd).st_ino)


def _up(fd: int, inode: int) -> int:
    parent = os.open("..", FOLDER, dir_fd=fd)
    os.close(fd)
    if os.fstat(parent).st_ino != inode:
        os.close(parent)
        raise OSError(errno.ESTALE, "a folder was moved while it was read")
    return parent


def usage(path: Path) -> int:
    """Return the bytes of content below ``path``, as Docker counts them; 0 when it does not exist.

    That is of files, each inode once, and the lengths of symlinks.
    """
    try:
        top = os.open(path, FOLDER)
    except FileNotFoundError:
        return 0
    seen: set[int] = set()
    total = 0
    try:
        for node in walk(top):
            if not has_bytes(node):
                continue
            if node.status.st_nlink > 1:
                if node.status.st_ino in seen:
                    continue
                seen.add(node.status.st_ino)
            total += node.status.st_size
    finally:
        os.close(top)
    return total


def has_bytes(node: Node) -> bool:
    """Return whether a node's size counts: a file's or, as Docker counts, a symlink's, but for the one at MTAB."""
    return stat.S_ISREG(node.status.st_mode) or (stat.S_ISLNK(node.status.st_mode) and node.path != MTAB)


def dress_like(source: Path, target: Path) -> None:
    """Give a folder the owner, mode and times of another: an image's root's, for instance."""
    status = source.stat()
    give(target, status.st_uid, status.st_gid)
    target.chmod(stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def remove(path: Path, trash: Path) -> None:
    """Remove a tree. It moves below ``trash``, on the same file system, first: after a crash it is only there.

    A missing ``path`` is no error.
    """
    if (grave := bury(path, trash)) is not None:
        remove_buried(grave)


def bury(path: Path, trash: Path) -> Path | None:
    """Move a tree below ``trash``, on the same file system, at once; None when there is none."""
    grave = trash / f"removed-{secrets.token_hex(8)}"
    try:
        path.rename(grave)
    except FileNotFoundError:
        return None
    return grave


def remove_buried(grave: Path) -> None:
    """Remove what :func:`bury` has moved."""
    empty(grave)
    grave.rmdir()


def empty(folder: Path) -> None:
    """Remove what is in ``folder``. Folders in folders are moved up first, so depth does not matter."""
    with opened_folder(folder) as top:
        empty_folder(top)


def remove_folder(name: str | bytes, parent: int) -> None:
    """Remove the folder ``name`` of the folder ``parent``, with what is in it."""
    with opened_folder(name, parent) as fd:
        empty_folder(fd)
    os.rmdir(name, dir_fd=parent)


def empty_folder(top: int) -> None:
    """Remove what is in the folder of descriptor ``top``."""
    prefix = b".removed-" + secrets.token_hex(8).encode()
    serial = 0
    while folders := _unlink_files(top):
        for name in folders:
            serial = _flatten(top, name, prefix, serial)


def _flatten(top: int, name: bytes, prefix: bytes, serial: int) -> int:
    fd = os.open(name, FOLDER, dir_fd=top)
    try:
        for inner in _unlink_files(fd):
            serial += 1
            os.rename(inner, b"%s-%d" % (prefix, serial), src_dir_fd=fd, dst_dir_fd=top)
    except OSError as error:
        if error.errno == errno.EXDEV and btrfs.delete_subvolume(top, name):  # whoever made it was killed
            return serial
        raise
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=top)
    return serial


def _unlink_files(fd: int) -> list[bytes]:
    """Remove all but the folders in ``fd``, and return their names."""
    folders = []
    os.lseek(fd, 0, os.SEEK_SET)  # btrfs shows what came since the folder was opened only after that
    with os.scandir(fd) as entries:
        for entry in list(entries):
            name = os.fsencode(entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            else:
                os.unlink(name, dir_fd=fd)
    return folders
