"""What an image has at a place, copied into a volume's folder or a part of it. Blocking."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wharf.kernel.openat2 import open_beneath, open_in_root
from wharf.storage import trees
from wharf.storage.copying import copy_content


@contextmanager
def opened(folder: Path, part: str) -> Iterator[int | None]:
    """Yield a volume's folder, or that part of it; None when that is no folder of the volume: a start says so."""
    top = os.open(folder, trees.FOLDER)
    try:
        target = _beneath(top, part) if part else os.dup(top)
    finally:
        os.close(top)
    try:
        yield target
    finally:
        if target is not None:
            os.close(target)


@contextmanager
def source(root: int | None, path: str) -> Iterator[int | None]:
    """Yield the folder that a process would find at ``path`` in an image; None when there is none."""
    found = None if root is None else _in_image(root, path)
    try:
        yield found
    finally:
        if found is not None:
            os.close(found)


def copy(source: int, target: int) -> None:
    """Copy what is in a folder, and the folder's own owner and mode.

    Raises:
        OSError: the disk is full.
    """
    copy_content(source, target)
    status = os.fstat(source)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, status.st_mode & 0o7777)


def _beneath(top: int, part: str) -> int | None:
    try:
        return open_beneath(top, part, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EXDEV):
            return None
        raise


def _in_image(root: int, path: str) -> int | None:
    try:
        return open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return None
