"""A layer's files once more, in another folder: linked, and copied only where their time changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wharf.storage import trees
from wharf.storage.attributes import attributes_of
from wharf.storage.trees import FOLDER, Node

_CHUNK: Final = 1 << 26
Inode = tuple[int, int]


def link_tree(source: Path, target: Path, latest_ns: int | None = None) -> None:
    """Make a tree of hard links to the files of another; blocking.

    Args:
        source: the tree, on the same file system.
        target: an empty folder.
        latest_ns: what is younger gets this time, in a copy; None: nothing is.

    Raises:
        OSError: there is no space, for instance.
    """
    folders: list[tuple[bytes, Node]] = []
    copies: dict[Inode, bytes] = {}
    fd = os.open(source, FOLDER)
    try:
        for node in trees.walk(fd):
            path = os.path.join(os.fsencode(target), node.path)
            status = node.status
            if stat.S_ISDIR(status.st_mode):
                os.mkdir(path)
                _dress(node, path)
                folders.append((path, node))
            elif latest_ns is None or status.st_mtime_ns <= latest_ns:
                os.link(node.name, path, src_dir_fd=node.folder_fd, follow_symlinks=False)
            elif (first := copies.setdefault((status.st_dev, status.st_ino), path)) != path:
                os.link(first, path, follow_symlinks=False)
            else:
                _copy(node, path)
                _date(path, status, latest_ns)
        for path, node in reversed(folders):  # what was put into them has changed their time
            _date(path, node.status, latest_ns)
    finally:
        os.close(fd)


def _copy(node: Node, path: bytes) -> None:
    mode = node.status.st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(node.name, dir_fd=node.folder_fd), path)
        os.chown(path, node.status.st_uid, node.status.st_gid, follow_symlinks=False)
        _copy_attributes(node, path)
        return
    if stat.S_ISREG(mode):
        _copy_file(node, path)
    else:
        os.mknod(path, mode, node.status.st_rdev)
    _dress(node, path)


def _copy_file(node: Node, path: bytes) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with (
        open(node.name, "rb", buffering=0, opener=lambda name, _: os.open(name, flags, dir_fd=node.folder_fd)) as old,
        open(path, "xb", buffering=0) as new,
    ):
        while os.copy_file_range(old.fileno(), new.fileno(), _CHUNK):
            pass


def _dress(node: Node, path: bytes) -> None:
    os.chown(path, node.status.st_uid, node.status.st_gid)
    os.chmod(path, stat.S_IMODE(node.status.st_mode))
    _copy_attributes(node, path)


def _copy_attributes(node: Node, path: bytes) -> None:
    source = b"/proc/self/fd/%d/%s" % (node.folder_fd, node.name)
    for name, value in attributes_of(source).items():
        os.setxattr(path, name, value, follow_symlinks=False)


def _date(path: bytes, status: os.stat_result, latest_ns: int | None) -> None:
    clamp: Callable[[int], int] = (lambda at: at) if latest_ns is None else lambda at: min(at, latest_ns)
    os.utime(path, ns=(clamp(status.st_atime_ns), clamp(status.st_mtime_ns)), follow_symlinks=False)
