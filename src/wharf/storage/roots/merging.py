"""Put one layer's folder on what is in another folder: overlay's marks are obeyed, and everything is copied.

Both trees hold what an image or a container made; the target is one that nothing runs in. Folders are opened one name
after another from the one above, none through a symlink, so nothing leads out of either tree.
"""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel.libc import suppress_errno
from wharf.storage import overlay_marks as marks
from wharf.storage.node_copies import Parents, copy_node, copy_or_link, dress
from wharf.storage.trees import Node, remove_folder, walk


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
            else:
                copy_or_link(node, parent, target, links)
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


def _clear(parent: int, node: Node) -> bool:
    """Make room for a node; return whether its folder is there already, with what stays in it."""
    try:
        status = os.stat(node.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(node.name, dir_fd=parent)
        return False
    stays = stat.S_ISDIR(node.status.st_mode) and not marks.is_opaque_in(node.name, node.folder_fd)
    if stays:
        return True
    remove_folder(node.name, parent)
    return False


def _folder(node: Node, parent: int, *, exists: bool) -> None:
    if not exists:
        os.mkdir(node.name, 0o700, dir_fd=parent)
    dress(node, parent)
