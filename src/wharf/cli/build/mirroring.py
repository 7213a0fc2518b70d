"""A folder that is to have what a result has, and nothing else (``--output type=local,mode=delete``)."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Mapping
from typing import BinaryIO

from wharf.errors import InvalidArgument


def remove_others(archive: BinaryIO, folder: str) -> None:
    """Remove what is in a folder and not in an archive, or there a folder in one and none in the other.

    Raises:
        InvalidArgument: something cannot be removed.
    """
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        kept = {os.path.normpath(entry.name): entry.isdir() for entry in tar}
    try:
        for place, folders, files, fd in os.fwalk(folder, topdown=False):
            for name in (*folders, *files):
                _remove_other(os.path.relpath(os.path.join(place, name), folder), name, fd, kept)
    except OSError as error:
        raise InvalidArgument(f"{folder}: {(error.strerror or str(error)).lower()}: {error.filename}") from error


def _remove_other(path: str, name: str, folder: int, kept: Mapping[str, bool]) -> None:
    is_folder = stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    if kept.get(path) is is_folder:
        return
    (os.rmdir if is_folder else os.unlink)(name, dir_fd=folder)
