"""A layer's files once more, in another folder: linked, and copied only where their time changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from wharf.storage.node_copies import Parents, copy_or_link, dress
from wharf.storage.trees import opened_folder, walk


def link_tree(source: Path, target: Path, latest_ns: int | None = None) -> None:
    """Make a tree of hard links to the files of another; blocking. Sockets are left out, as in archives of layers.

    Args:
        source: the tree, on the same file system.
        target: an empty folder.
        latest_ns: what is younger gets this time, in a copy; None: nothing is.

    Raises:
        OSError: there is no space, for instance.
    """
    with opened_folder(source) as fd, opened_folder(target) as into:
        _link(fd, into, latest_ns)


def _link(source: int, target: int, latest_ns: int | None) -> None:
    parents = Parents(target)
    folders: list[tuple[bytes, os.stat_result]] = []
    copies: dict[int, bytes] = {}
    try:
        for node in walk(source):
            parent, status = parents.of(node.path), node.status
            if stat.S_ISDIR(status.st_mode):
                os.mkdir(node.name, 0o700, dir_fd=parent)
                dress(node, parent, keep_marks=True)
                folders.append((node.path, status))
            elif stat.S_ISSOCK(status.st_mode):
                continue
            elif latest_ns is None or status.st_mtime_ns <= latest_ns:
                os.link(node.name, node.name, src_dir_fd=node.folder_fd, dst_dir_fd=parent, follow_symlinks=False)
            else:
                copy_or_link(node, parent, target, copies, keep_marks=True)
                _date(node.name, parent, status, latest_ns)
        for path, status in reversed(folders):  # what was put into them has changed their time
            _date(path, target, status, latest_ns)
    finally:
        parents.close()


def _date(path: bytes, folder: int, status: os.stat_result, latest_ns: int | None) -> None:
    clamp: Callable[[int], int] = (lambda at: at) if latest_ns is None else lambda at: min(at, latest_ns)
    times = (clamp(status.st_atime_ns), clamp(status.st_mtime_ns))
    os.utime(path, ns=times, dir_fd=folder, follow_symlinks=False)
