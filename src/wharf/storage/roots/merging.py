"""Put one layer's folder on what is in another folder: overlay's marks are obeyed, and everything is copied.

Both trees hold what an image or a container made; the target is one that nothing runs in. Folders are opened one name
after another from the one above, none through a symlink, so nothing leads out of either tree.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from wharf.kernel.libc import suppress_errno
from wharf.kernel.openat2 import Resolve, openat2
from wharf.kernel.owner import give
from wharf.storage import overlay_marks as marks
from wharf.storage.attributes import attributes_of
from wharf.storage.trees import FOLDER, Node, empty_folder, walk

_BENEATH: Final = int(Resolve.NO_SYMLINKS | Resolve.BENEATH)
_CHUNK: Final = 1 << 30


def merge(layer: int, target: int) -> None:
    """Copy the layer of descriptor ``layer`` into the folder ``target``, over what is there; blocking.

    Raises:
        OSError: the disk is full, or this process may not make a device or give an owner.
    """
    parents = Parents(target)
    links: dict[int, bytes] = {}
    folders: list[tuple[bytes, os.stat_result]] = []
    try:
        for node in walk(layer):
            parent = parents.of(node.path)
            kept = _clear(parent, node)
            if marks.is_whiteout(node.status):
                continue
            if stat.S_ISDIR(node.status.st_mode):
                _folder(node, parent, exists=kept)
                folders.append((node.path, node.status))
            elif node.status.st_nlink > 1 and (first := links.get(node.status.st_ino)) is not None:
                os.link(first, node.path, src_dir_fd=target, dst_dir_fd=target, follow_symlinks=False)
            else:
                copy_node(node, parent)
                if node.status.st_nlink > 1:
                    links[node.status.st_ino] = node.path
        for path, status in reversed(folders):  # last, for filling them changes their times
            times = (status.st_atime_ns, status.st_mtime_ns)
            os.utime(path, ns=times, dir_fd=target, follow_symlinks=False)
    finally:
        parents.close()


def add_missing(source: int, target: int) -> None:
    """Copy folders and files of ``source`` whose names ``target`` lacks; what it has stays, whatever that is."""
    parents = Parents(target)
    try:
        for node in walk(source):
            with suppress_errno(errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EEXIST):
                parent = parents.of(node.path)
                if stat.S_ISDIR(node.status.st_mode):
                    os.mkdir(node.name, 0o700, dir_fd=parent)
                    dress(node, parent)
                else:
                    copy_node(node, parent)
    finally:
        parents.close()


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
            fd = openat2(self._top, os.fsdecode(above), FOLDER, resolve=_BENEATH)
            self.close()
            self._path, self._fd = above, fd
        return self._fd

    def close(self) -> None:
        """Let go; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _clear(parent: int, node: Node) -> bool:
    """Make room for a node; return whether its folder is there already, with what stays in it."""
    try:
        status = os.stat(node.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(node.name, dir_fd=parent)
        return False
    stays = stat.S_ISDIR(node.status.st_mode) and not _is_opaque(node)
    if stays:
        return True
    fd = os.open(node.name, FOLDER, dir_fd=parent)
    try:
        empty_folder(fd)
    finally:
        os.close(fd)
    os.rmdir(node.name, dir_fd=parent)
    return False


def _is_opaque(node: Node) -> bool:
    fd = os.open(node.name, FOLDER, dir_fd=node.folder_fd)
    try:
        return marks.is_opaque(fd)
    finally:
        os.close(fd)


def _folder(node: Node, parent: int, *, exists: bool) -> None:
    if not exists:
        os.mkdir(node.name, 0o700, dir_fd=parent)
    dress(node, parent)


def copy_node(node: Node, parent: int) -> None:
    """Copy a file, link or device into the folder ``parent``, where its name is free. Sockets are left out."""
    mode = node.status.st_mode
    if stat.S_ISSOCK(mode):
        return
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(node.name, dir_fd=node.folder_fd), node.name, dir_fd=parent)
    elif stat.S_ISREG(mode):
        _content(node, parent)
    else:
        os.mknod(node.name, stat.S_IFMT(mode) | 0o600, node.status.st_rdev, dir_fd=parent)
    dress(node, parent)


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


def dress(node: Node, parent: int) -> None:
    """Give what is called like ``node`` in ``parent`` its owner, mode, attributes and times."""
    status = node.status
    give(node.name, status.st_uid, status.st_gid, dir_fd=parent)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(node.name, stat.S_IMODE(status.st_mode), dir_fd=parent)  # made here: no symlink
    source = f"/proc/self/fd/{node.folder_fd}/".encode() + node.name
    target = f"/proc/self/fd/{parent}/".encode() + node.name
    for name, value in attributes_of(source).items():
        if not name.startswith(marks.PRIVATE_PREFIXES):
            os.setxattr(target, name, value, follow_symlinks=False)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(node.name, ns=times, dir_fd=parent, follow_symlinks=False)
