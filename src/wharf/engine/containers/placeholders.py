"""The files that every container of Docker's has, its image or not (moby, daemon/initlayer/setup_unix.go).

Programs see by ``/.dockerenv`` that they are in a container, and the C library reads mounts from ``/etc/mtab``;
clients copy ``/etc/hosts`` of containers that were never started. They are in the container's own layer from the
beginning, and are no change of the container's (:mod:`wharf.engine.containers.changes`).
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.engine.containers.changes import MOUNTS
from wharf.engine.context import Context
from wharf.kernel.owner import give
from wharf.storage.trees import FOLDER, opened_folder

_MARK: Final = ".dockerenv"
_MTAB: Final = "mtab"
_IN_ETC: Final = ("hosts", "hostname", "resolv.conf", _MTAB)
_MODE: Final = 0o755  # Docker's


@dataclass(frozen=True, slots=True)
class Lacking:
    """What an image has not of them.

    Attributes:
        mark: whether that is the file in its root.
        in_etc: the names in ``/etc``.
        etc: the image's ``/etc``; None where it has none.
    """

    mark: bool
    in_etc: tuple[str, ...]
    etc: os.stat_result | None


async def put(context: Context, container_id: str, chain_id: str) -> None:
    """Make them in a container's own layer, which has just been prepared."""
    upper = context.data.container(container_id) / "upper"
    if context.snapshots.roots.copies:  # the image is in there already
        await asyncio.to_thread(_complete, upper)
        return
    known = context.lacking.get(chain_id)
    if known is None:  # once an image: its layers have to be laid on each other for it
        known = context.lacking[chain_id] = await asyncio.to_thread(_of_image, context, chain_id)
    with opened_folder(upper) as fd:
        make(fd, known)


def _of_image(context: Context, chain_id: str) -> Lacking:
    with context.snapshots.open_image(chain_id) as image:
        return lacking(image)


def _complete(root: Path) -> None:
    with opened_folder(root) as fd:
        make(fd, lacking(fd))


def lacking(root: int | None) -> Lacking:
    """Return what the root of an image has not; None is a root that has nothing.

    In an ``/etc`` that is no folder, or that has attributes, it lacks nothing: the runtime makes what it needs there.
    """
    if root is None:
        return Lacking(mark=True, in_etc=_IN_ETC, etc=None)
    mark = not _has(root, _MARK)
    try:
        etc = os.open("etc", FOLDER | os.O_NOFOLLOW, dir_fd=root)
    except FileNotFoundError:
        return Lacking(mark, _IN_ETC, None)
    except NotADirectoryError:  # open(2): so is a symlink, where a folder is asked for
        return Lacking(mark, (), None)
    try:
        if _attributes(etc):
            return Lacking(mark, (), None)
        return Lacking(mark, tuple(name for name in _IN_ETC if not _has(etc, name)), os.fstat(etc))
    finally:
        os.close(etc)


def _has(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _attributes(fd: int) -> list[str]:
    try:
        return os.listxattr(fd)
    except OSError:  # a file system that has none of them
        return []


def make(layer: int, missing: Lacking) -> None:
    """Make what an image lacks in a container's layer; the folders keep their times."""
    top = os.fstat(layer)
    if missing.mark:
        _touch(layer, _MARK)
    if missing.in_etc:
        _make_in_etc(layer, missing)
    os.utime(layer, ns=(top.st_atime_ns, top.st_mtime_ns))


def _make_in_etc(layer: int, missing: Lacking) -> None:
    with suppress(FileExistsError):  # a copy of the image
        os.mkdir("etc", _MODE, dir_fd=layer)
    etc = os.open("etc", FOLDER | os.O_NOFOLLOW, dir_fd=layer)
    try:
        for name in missing.in_etc:
            if name == _MTAB:
                os.symlink(MOUNTS, name, dir_fd=etc)
            else:
                _touch(etc, name)
        if (like := missing.etc) is None:
            os.fchmod(etc, _MODE)  # whatever the umask of the engine's program is
        else:
            give(etc, like.st_uid, like.st_gid)
            os.fchmod(etc, like.st_mode & 0o7777)
            os.utime(etc, ns=(like.st_atime_ns, like.st_mtime_ns))
    finally:
        os.close(etc)


def _touch(folder: int, name: str) -> None:
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE, dir_fd=folder))
