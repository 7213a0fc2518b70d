"""Several layers become one that does the same to what is below them, with the deletions that count there.

::

    upper   a whiteout, a file, an opaque folder …          ─┐
    …                                                        ├─▶ one folder, as overlay wants an upper
    lower   a folder with files                             ─┘
    ─────   what they lie on: asked only which names it has
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from wharf.storage import overlay_marks as marks
from wharf.storage.node_copies import Parents, copy_or_link, dress
from wharf.storage.trees import Node, opened_folder, remove_folder, walk

Below = Callable[[bytes], bool]
"""Whether what the layers lie on has a path: only then a deletion of it has to be told."""


def nothing_below(_path: bytes) -> bool:
    """Return that there is nothing."""
    return False


def squash(layers: Sequence[int], target: int, below: Below = nothing_below) -> None:
    """Put layers, the lowest first, into the empty folder ``target``; blocking.

    Args:
        layers: descriptors of their folders, as overlay has them.
        target: descriptor of the folder.
        below: what they lie on.

    Raises:
        OSError: the disk is full, or this process may not make a device or give an owner.
    """
    times: dict[bytes, os.stat_result] = {}
    for layer in layers:
        _add(layer, target, below, times)
    for path, status in reversed(times.items()):  # last, for filling folders changes their times
        try:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            continue  # a later layer took it away


def _add(layer: int, target: int, below: Below, times: dict[bytes, os.stat_result]) -> None:
    parents = Parents(target)
    links: dict[int, bytes] = {}
    try:
        for node in walk(layer):
            parent = parents.of(node.path)
            if marks.is_whiteout(node.status):
                _clear(parent, node.name)
                if below(node.path):
                    marks.make_whiteout(node.name, parent)
            elif stat.S_ISDIR(node.status.st_mode):
                _folder(node, parent)
                times.pop(node.path, None)  # the last one made is the last one filled
                times[node.path] = node.status
            else:
                _clear(parent, node.name)
                copy_or_link(node, parent, target, links)
    finally:
        parents.close()


def _folder(node: Node, parent: int) -> None:
    """Make a folder, or add to the one that is there; it hides what is below it when the layers' together do."""
    known = _lstat(node.name, parent)
    hides = marks.is_opaque_in(node.name, node.folder_fd)
    if known is not None and not stat.S_ISDIR(known.st_mode):
        hides = True  # a file or a whiteout of a lower layer had hidden it
    if hides and known is not None:
        _clear(parent, node.name)
        known = None
    if known is None:
        os.mkdir(node.name, 0o700, dir_fd=parent)
    dress(node, parent)
    if hides:
        with opened_folder(node.name, parent) as fd:
            marks.mark_opaque(fd)


def _clear(parent: int, name: bytes) -> None:
    status = _lstat(name, parent)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=parent)
        return
    remove_folder(name, parent)


def _lstat(name: bytes, folder_fd: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
