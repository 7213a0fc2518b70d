"""A folder from outside that becomes a layer's folder without being copied: its files get a second name there.

An overlay takes no links from elsewhere. So a folder that is empty in the layer is filled beside it, and what is in
it is moved into the upper folder when the overlay is gone. The two may share files, for neither is ever written to: a
context's file that changes is made anew, and a layer is only read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wharf.build.graph.operations import Copy
from wharf.build.operations.copying import Copier
from wharf.build.operations.dress import Dress
from wharf.build.operations.mounting import real_path
from wharf.build.operations.selection import Digests, Match, matches
from wharf.kernel.openat2 import open_in_root
from wharf.storage.trees import FOLDER


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where folders are filled, and who knows what is in their files."""

    folder: Path
    digests: Digests


@dataclass(frozen=True, slots=True)
class Beside:
    """What is to be moved to ``path`` of a layer."""

    sharing: Sharing
    path: str  # without symbolic links

    def move(self, layer: Path) -> None:
        """Move it into a layer's folder, which nothing has mounted; its folder keeps its times."""
        root = os.open(layer, FOLDER)
        try:
            target = open_in_root(root, self.path, FOLDER)
        finally:
            os.close(root)
        try:
            status = os.fstat(target)
            for name in os.listdir(self.sharing.folder):
                before = (self.sharing.folder / name).lstat()
                os.rename(self.sharing.folder / name, name, dst_dir_fd=target)
                self.sharing.digests.follow(before, os.stat(name, dir_fd=target, follow_symlinks=False))
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(target)


def share(source: int, target: int, action: Copy, dress: Dress, sharing: Sharing) -> Beside | None:
    """Do a copy beside the tree ``target``, on the file system of ``source``; blocking.

    Returns what is to be moved into the layer; None when it is not about one folder that is empty in the layer: then
    nothing is done but that folder made.

    Raises:
        NotFound, InvalidArgument: as with a copy.
    """
    found = matches(source, action)
    if len(found) != 1 or not found[0].is_folder:
        return None
    copier = Copier(source, target, action, dress)
    path = copier.place_of(found[0])
    top = copier.made(found[0], path)
    try:
        if os.listdir(top):
            return None
        _fill(source, found[0], lambda fd: Copier(source, fd, action, dress, sharing.digests), sharing.folder)
        copier.finish()
        status = os.fstat(top)
        os.utime(top, ns=(status.st_atime_ns, status.st_mtime_ns))  # so that the upper folder has it
    finally:
        os.close(top)
    place = real_path(target, path)
    assert place is not None  # it is open just now
    return Beside(sharing, place)


def _fill(source: int, match: Match, copier_into: Callable[[int], Copier], folder: Path) -> None:
    folder.mkdir(mode=0o700)
    beside = os.open(folder, FOLDER)
    try:
        inner = open_in_root(source, match.path, FOLDER & ~os.O_NOFOLLOW)
        try:
            copier = copier_into(beside)
            copier.fill(inner, beside, "/")
            copier.finish()
        finally:
            os.close(inner)
    finally:
        os.close(beside)
