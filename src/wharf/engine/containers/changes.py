"""docker diff: what a container has changed of its image, read from its own layer."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.streams import on_thread
from wharf.kernel.openat2 import Resolve, openat2
from wharf.spec.engine_api.container import FilesystemChange
from wharf.storage import overlay_marks as marks
from wharf.storage.trees import FOLDER, MTAB, Node, walk

MODIFIED, ADDED, DELETED = 0, 1, 2

PLACEHOLDERS: Final = frozenset(
    {
        b"dev", b"dev/console", b"dev/pts", b"dev/shm", b"dev/mqueue", b"proc", b"sys", b".dockerenv",
        b"etc/hosts", b"etc/hostname", b"etc/resolv.conf", b"etc/mtab",
    }
)  # fmt: skip
"""Where the runtime mounts something in every container: what it made for that is no change of the container's."""

_HOLDERS: Final = frozenset(name.rpartition(b"/")[0] for name in PLACEHOLDERS)
"""Folders whose time the runtime changed when it made placeholders in them."""

MOUNTS: Final = "/proc/mounts"
"""Where that link leads in containers whose image has none."""

_BENEATH: Final = int(Resolve.NO_SYMLINKS | Resolve.BENEATH)
Lower = Callable[[bytes], os.stat_result | None]


async def changes(context: Context, ref: str) -> list[FilesystemChange]:
    """Return what a container has added, modified and deleted, by path."""
    container = context.registry.resolve(ref)
    return await on_thread(lambda: _read(context, container), "wharf-diff")


def _read(context: Context, container: Container) -> list[FilesystemChange]:
    with (
        context.snapshots.changes(container.id, container.chain_id) as path,
        context.snapshots.open_image(container.chain_id) as image,
    ):
        upper = os.open(path, FOLDER)
        try:
            return compare(upper, lambda path: _stat(image, path))
        finally:
            os.close(upper)


def _stat(image: int | None, path: bytes) -> os.stat_result | None:
    """Return what the image has at ``path``; not through symlinks, which folders of the container have replaced."""
    if image is None:
        return None
    try:
        fd = openat2(image, os.fsdecode(path), os.O_PATH | os.O_NOFOLLOW, resolve=_BENEATH)
    except OSError:
        return None
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def compare(upper: int, lower: Lower) -> list[FilesystemChange]:
    """Return the changes that the layer of descriptor ``upper`` makes to what ``lower`` says is below it."""
    kinds: dict[bytes, int] = {}
    for node in walk(upper):
        if is_placeholder(node) or node.name.startswith(marks.WHITEOUT_PREFIX):  # fuse-overlayfs's own marks
            continue
        below = lower(node.path)
        kind = _kind(node, below)
        if kind is None:
            continue
        kinds[node.path] = kind
        _note_parents(kinds, node.path)
    return [{"Path": "/" + os.fsdecode(path), "Kind": kinds[path]} for path in sorted(kinds)]


def _note_parents(kinds: dict[bytes, int], path: bytes) -> None:
    parent = path.rpartition(b"/")[0]
    while parent and parent not in kinds:
        kinds[parent] = MODIFIED
        parent = parent.rpartition(b"/")[0]


def _kind(node: Node, below: os.stat_result | None) -> int | None:
    if marks.is_whiteout(node.status):
        return DELETED
    if below is None:
        return ADDED
    own = node.status
    if stat.S_ISDIR(own.st_mode) and stat.S_ISDIR(below.st_mode):
        same = (own.st_mode, own.st_uid, own.st_gid) == (below.st_mode, below.st_uid, below.st_gid)
        touched = own.st_mtime_ns != below.st_mtime_ns and not _touched_for_placeholders(node)
        return None if same and not touched else MODIFIED  # copied up for what is in it
    return MODIFIED


def is_placeholder(node: Node) -> bool:
    """Return whether this is in every container, to mount something on it mostly: empty, and of a known name."""
    if node.path not in PLACEHOLDERS:
        return False
    if stat.S_ISREG(node.status.st_mode):
        return node.status.st_size == 0
    if stat.S_ISLNK(node.status.st_mode):
        return node.path == MTAB and os.readlink(node.name, dir_fd=node.folder_fd) == os.fsencode(MOUNTS)
    return stat.S_ISDIR(node.status.st_mode) and not _names(node) - PLACEHOLDERS


def _touched_for_placeholders(node: Node) -> bool:
    return node.path in _HOLDERS and bool(_names(node) & PLACEHOLDERS)


def _names(node: Node) -> set[bytes]:
    fd = os.open(node.name, FOLDER, dir_fd=node.folder_fd)
    try:
        return {node.path + b"/" + os.fsencode(name) for name in os.listdir(fd)}
    finally:
        os.close(fd)
