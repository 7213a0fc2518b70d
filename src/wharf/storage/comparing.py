"""Whether two folders hold the same layer: the one on the disk, and what its blob unpacks to.

Times do not count: a folder that a build has made keeps finer ones than its archive.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from wharf.storage import overlay_marks as marks
from wharf.storage.attributes import attributes_of
from wharf.storage.trees import Node, walk

_CHUNK: Final = 1024 * 1024


def differences(one: int, other: int) -> Iterator[str]:
    """Yield each path below two folders at which they differ, and how: names, kinds, owners, modes, content, links.

    Args:
        one: descriptor of the folder as it should be.
        other: descriptor of the folder as it is.
    """
    for mine, theirs in _side_by_side(one, other):
        node = mine or theirs
        assert node is not None, "one of them is there"
        if mine is None or theirs is None:
            yield f"{os.fsdecode(node.path)!r} is {'missing' if theirs is None else 'too much'}"
        elif wrong := _difference(mine, theirs):
            yield f"{os.fsdecode(node.path)!r} has another {wrong}"


def _side_by_side(one: int, other: int) -> Iterator[tuple[Node | None, Node | None]]:
    """Yield the nodes of both, those of one path together; both are walked in the same order."""
    left, right = _archived(one), _archived(other)
    mine, theirs = next(left, None), next(right, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and _key(mine) < _key(theirs)):
            yield mine, None
            mine = next(left, None)
        elif mine is None or _key(theirs) < _key(mine):
            yield None, theirs
            theirs = next(right, None)
        else:
            yield mine, theirs
            mine, theirs = next(left, None), next(right, None)


def _archived(top: int) -> Iterator[Node]:
    """Yield what an archive of a folder has: no sockets."""
    return (node for node in walk(top) if not stat.S_ISSOCK(node.status.st_mode))


def _key(node: Node) -> list[bytes]:
    return node.path.split(b"/")


def _difference(mine: Node, theirs: Node) -> str:
    """Return what two nodes of one name differ in; empty for nothing."""
    a, b = mine.status, theirs.status
    if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
        return "kind"
    if (a.st_mode, a.st_uid, a.st_gid) != (b.st_mode, b.st_uid, b.st_gid):
        return "owner or mode"
    if _attributes(mine) != _attributes(theirs):
        return "attribute"
    if stat.S_ISLNK(a.st_mode):
        same = os.readlink(mine.name, dir_fd=mine.folder_fd) == os.readlink(theirs.name, dir_fd=theirs.folder_fd)
        return "" if same else "target"
    if stat.S_ISREG(a.st_mode):
        return "" if a.st_size == b.st_size and _same_content(mine, theirs) else "content"
    return "" if a.st_rdev == b.st_rdev else "device number"


def _attributes(node: Node) -> dict[str, bytes]:
    found = attributes_of(f"/proc/self/fd/{node.folder_fd}/".encode() + node.name)
    return {name: value for name, value in found.items() if not _is_notes(name)}


def _is_notes(attribute: str) -> bool:
    """Return whether it is no part of a layer: what overlay remembers of a folder it wrote to, and ACLs."""
    if attribute.startswith("system."):
        return True
    return attribute.startswith(marks.PRIVATE_PREFIXES) and not attribute.endswith(".opaque")


def _same_content(mine: Node, theirs: Node) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with (
        os.fdopen(os.open(mine.name, flags, dir_fd=mine.folder_fd), "rb", buffering=0) as a,
        os.fdopen(os.open(theirs.name, flags, dir_fd=theirs.folder_fd), "rb", buffering=0) as b,
    ):
        pieces = zip_longest(iter(lambda: a.read(_CHUNK), b""), iter(lambda: b.read(_CHUNK), b""))
        return all(left == right for left, right in pieces)
