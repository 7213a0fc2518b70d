"""What a container has changed of a copy of its image: found by comparing, written as overlay has it.

A file counts as changed when its kind, owner, mode, size, time of change or attributes differ; and its content is
compared where all that is alike, though the file was touched since the root was made: whoever writes can set times.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from wharf.kernel.openat2 import openat2
from wharf.storage import overlay_marks as marks
from wharf.storage.node_copies import BENEATH, Parents, copy_or_link, dress
from wharf.storage.roots.union import Union, own_attributes
from wharf.storage.trees import FOLDER, Node, has_bytes, opened_folder, walk

_PIECE: Final = 1 << 20


class Change(NamedTuple):
    """One name that differs. ``node`` is the container's, None for what it has deleted."""

    path: bytes
    node: Node | None
    replaced: bool = False  # a folder in the place of something else: nothing of the image's shows in it


class Compared(NamedTuple):
    """A container's root beside its image."""

    own: int  # descriptor of its folder
    image: Union
    since_ns: int = 0  # when it was whole, in its file system's time: what was not touched later is the image's


def compared(pair: Compared) -> Iterator[Change]:
    """Yield what differs; a folder comes before what is in it."""
    own, image = pair.own, pair.image
    listings: dict[bytes, dict[bytes, tuple[int, os.stat_result]]] = {}
    yield from _deleted(own, b"", image, listings)
    for node in walk(own):
        parent = node.path.rpartition(b"/")[0]
        below = listings[parent].get(node.name)
        folder = stat.S_ISDIR(node.status.st_mode)
        both = below is not None and folder and stat.S_ISDIR(below[1].st_mode)
        if below is None or _differs(node, below, pair):
            yield Change(node.path, node, replaced=below is not None and folder and not both)
        if folder:
            fd = os.open(node.name, FOLDER, dir_fd=node.folder_fd)
            try:
                if both:
                    yield from _deleted(fd, node.path, image, listings)
                else:
                    listings[node.path] = {}
            finally:
                os.close(fd)


def _deleted(
    fd: int, path: bytes, image: Union, listings: dict[bytes, dict[bytes, tuple[int, os.stat_result]]]
) -> Iterator[Change]:
    """Yield the names that the image has in a folder and the container has not, and remember the image's."""
    listings[path] = image.listing(path)
    prefix = path + b"/" if path else b""
    for name in sorted(set(listings[path]) - set(map(os.fsencode, os.listdir(fd)))):
        yield Change(prefix + name, None)


def _differs(node: Node, below: tuple[int, os.stat_result], pair: Compared) -> bool:
    top, theirs = below
    mine = node.status
    if (mine.st_mode, mine.st_uid, mine.st_gid) != (theirs.st_mode, theirs.st_uid, theirs.st_gid):
        return True
    if not stat.S_ISDIR(mine.st_mode) and (mine.st_size, mine.st_mtime_ns, mine.st_rdev) != (
        theirs.st_size,
        theirs.st_mtime_ns,
        theirs.st_rdev,
    ):
        return True
    own = own_attributes(f"/proc/self/fd/{node.folder_fd}/".encode() + node.name)
    if own != pair.image.attributes(top, node.path):
        return True
    return stat.S_ISREG(mine.st_mode) and mine.st_ctime_ns >= pair.since_ns and not _same_content(node, top)


def _same_content(node: Node, top: int) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with (
        open(node.name, "rb", 0, opener=lambda name, _: os.open(name, flags, dir_fd=node.folder_fd)) as one,
        open(openat2(top, os.fsdecode(node.path), flags, resolve=BENEATH), "rb", 0) as other,
    ):
        while data := one.read(_PIECE):
            if data != other.read(len(data)):
                return False
        return not other.read(1)


def changed_bytes(pair: Compared) -> int:
    """Return the bytes of the files and symlinks that differ, each inode once."""
    seen: set[int] = set()
    total = 0
    for change in compared(pair):
        node = change.node
        if node is not None and has_bytes(node) and node.status.st_ino not in seen:
            seen.add(node.status.st_ino)
            total += node.status.st_size
    return total


def write_changes(pair: Compared, target: Path) -> None:
    """Write what differs into the empty folder ``target``, deletions as whiteouts."""
    with opened_folder(target) as top:
        _write(pair, top)


def _write(pair: Compared, top: int) -> None:
    parents = Parents(top)
    links: dict[int, bytes] = {}
    try:
        for path, node, replaced in compared(pair):
            name = path.rpartition(b"/")[2]
            _ensure_above(pair.own, top, path)
            parent = parents.of(path)
            if node is None:
                marks.make_whiteout(name, parent)
            elif stat.S_ISDIR(node.status.st_mode):
                _folder(node, parent, opaque=replaced)
            else:
                copy_or_link(node, parent, top, links)
    finally:
        parents.close()


def _folder(node: Node, parent: int, *, opaque: bool) -> None:
    if not _is_there(node.name, parent):
        os.mkdir(node.name, 0o700, dir_fd=parent)
    dress(node, parent)
    if opaque:
        with opened_folder(node.name, parent) as fd:
            marks.mark_opaque(fd)


def _ensure_above(own: int, top: int, path: bytes) -> None:
    """Make the folders above a change that are themselves unchanged, dressed as they are."""
    parts = path.split(b"/")[:-1]
    source, target = os.dup(own), os.dup(top)
    try:
        for part in parts:
            if not _is_there(part, target):
                os.mkdir(part, 0o700, dir_fd=target)
                status = os.stat(part, dir_fd=source, follow_symlinks=False)
                dress(Node(part, source, part, status), target)
            source = _into(source, part)
            target = _into(target, part)
    finally:
        os.close(source)
        os.close(target)


def _into(folder: int, name: bytes) -> int:
    """Return the folder ``name`` in a folder, which is closed."""
    inner = os.open(name, FOLDER, dir_fd=folder)
    os.close(folder)
    return inner


def _is_there(name: bytes, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
