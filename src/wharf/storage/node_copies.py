"""One name of a tree, made again in another tree with all that belongs to it: owner, mode, attributes, times.

Nothing is followed, and nothing is replaced: see ``wharf.storage.trees.walk`` for where nodes come from.
"""

from __future__ import annotations

import os
import stat
from typing import Final

from wharf.kernel.openat2 import Resolve, openat2
from wharf.kernel.owner import give
from wharf.storage import overlay_marks as marks
from wharf.storage.attributes import attributes_of
from wharf.storage.trees import FOLDER, Node

BENEATH: Final = int(Resolve.NO_SYMLINKS | Resolve.BENEATH)
_CHUNK: Final = 1 << 30


class Parents:
    """The folder that a path of a walk is in, kept open from one path to the next."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._path = b""
        self._fd = -1

    def of(self, path: bytes) -> int:
        """Return the descriptor of the folder of ``path``, valid until the next call."""
        above = path.rpartition(b"/")[0]
        if not above:
            return self._top
        if above != self._path or self._fd < 0:
            fd = openat2(self._top, os.fsdecode(above), FOLDER, resolve=BENEATH)
            self.close()
            self._path, self._fd = above, fd
        return self._fd

    def close(self) -> None:
        """Let go; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def copy_or_link(node: Node, parent: int, target: int, firsts: dict[int, bytes], *, keep_marks: bool = False) -> None:
    """Copy a node as :func:`copy_node` does, or link it to the copy that another name of its inode got before.

    Args:
        node: of a walk; no folder.
        parent: descriptor of the folder for it.
        target: descriptor of the top of the new tree, where the node has the same path.
        firsts: of each inode with several names the path of its copy; filled here.
        keep_marks: as with :func:`copy_node`.

    Raises:
        OSError: as with :func:`copy_node`.
    """
    status = node.status
    if status.st_nlink > 1 and (first := firsts.get(status.st_ino)) is not None:
        os.link(first, node.name, src_dir_fd=target, dst_dir_fd=parent, follow_symlinks=False)
        return
    copy_node(node, parent, keep_marks=keep_marks)
    if status.st_nlink > 1 and not stat.S_ISSOCK(status.st_mode):
        firsts[status.st_ino] = node.path


def copy_node(node: Node, parent: int, *, keep_marks: bool = False) -> None:
    """Copy a file, link or device into the folder ``parent``, where its name is free. Sockets are left out.

    Raises:
        OSError: EEXIST when the name is not free; the disk is full; or this process may not make a device or give an
            owner.
    """
    mode = node.status.st_mode
    if stat.S_ISSOCK(mode):
        return
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(node.name, dir_fd=node.folder_fd), node.name, dir_fd=parent)
    elif stat.S_ISREG(mode):
        _content(node, parent)
    else:
        os.mknod(node.name, stat.S_IFMT(mode) | 0o600, node.status.st_rdev, dir_fd=parent)
    dress(node, parent, keep_marks=keep_marks)


def _content(node: Node, parent: int) -> None:
    """Copy bytes: shared with the source where the file system can (copy_file_range(2))."""
    source = os.open(node.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=node.folder_fd)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        target = os.open(node.name, flags, 0o600, dir_fd=parent)
        try:
            while os.copy_file_range(source, target, _CHUNK):
                pass
        finally:
            os.close(target)
    finally:
        os.close(source)


def dress(node: Node, parent: int, *, keep_marks: bool = False) -> None:
    """Give what is called like ``node`` in ``parent`` its owner, mode, attributes and times.

    With ``keep_marks`` also overlay's own attributes: for a copy that is a layer, as its source is, and no root.
    """
    status = node.status
    give(node.name, status.st_uid, status.st_gid, dir_fd=parent)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(node.name, stat.S_IMODE(status.st_mode), dir_fd=parent)  # made here: no symlink
    source = f"/proc/self/fd/{node.folder_fd}/".encode() + node.name
    target = f"/proc/self/fd/{parent}/".encode() + node.name
    for name, value in attributes_of(source).items():
        if keep_marks or not name.startswith(marks.PRIVATE_PREFIXES):
            os.setxattr(target, name, value, follow_symlinks=False)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(node.name, ns=times, dir_fd=parent, follow_symlinks=False)
