"""btrfs: an image's root is a subvolume, made when its first container is; a container's is a snapshot of it.

``snapshots/<chain id>/tree`` is that subvolume: a snapshot of the one below it with the layer's files, which share
their content with ``fs``. It can be made again at any time, so it is no record.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from wharf.errors import NotImplementedHere
from wharf.kernel import btrfs
from wharf.storage import trees
from wharf.storage.roots.merging import merge
from wharf.storage.roots.native import PREPARED, NativeRoots
from wharf.storage.trees import FOLDER

_PROBE = ".btrfs"


class BtrfsRoots(NativeRoots):
    """Subvolumes; all else as with plain folders."""

    name = "btrfs"

    def __init__(self) -> None:
        self._making = threading.Lock()

    def require(self, data_root: Path) -> None:
        """Check the file system.

        Raises:
            NotImplementedHere: it is not btrfs.
        """
        fd = os.open(data_root, FOLDER)
        try:
            btrfs.delete_subvolume(fd, _PROBE.encode())
            btrfs.create_subvolume(fd, _PROBE)
            btrfs.delete_subvolume(fd, _PROBE.encode())
        except OSError as error:
            raise NotImplementedHere(
                f"storage driver btrfs needs a data root on btrfs, which {data_root} is not: {error.strerror}"
            ) from error
        finally:
            os.close(fd)

    def prepare(self, folder: Path, lower: Sequence[Path]) -> None:
        """Snapshot the image's subvolume, or make an empty one."""
        with self._making:
            below = self._tree(lower) if lower else None
        _copy(below, folder, "upper")
        if below is None:
            (folder / "upper").chmod(0o755)
        (folder / PREPARED).touch()

    def limit(self, folder: Path, size_bytes: int) -> None:
        """Limit the subvolume, its image's content counted, as Docker does; quotas are switched on for that.

        Raises:
            NotImplementedHere: the file system keeps no quotas.
        """
        fd = os.open(folder / "upper", FOLDER)
        try:
            btrfs.enable_quotas(fd)
            btrfs.limit_subvolume(fd, size_bytes)
        except OSError as error:
            raise NotImplementedHere(f"--storage-opt size: btrfs keeps no quotas here: {error.strerror}") from error
        finally:
            os.close(fd)

    def _tree(self, lower: Sequence[Path]) -> Path:
        """Return the subvolume that these layers make, the uppermost first; it is made where it is missing."""
        below: Path | None = None
        for layer in reversed(lower):
            tree = layer.parent / "tree"
            if not tree.is_dir():
                _make(layer, below, tree)
            below = tree
        assert below is not None, "there is a layer"
        return below

    def release(self, folder: Path) -> None:
        """Remove a container's subvolume."""
        _delete(folder, b"upper")

    def release_layer(self, folder: Path) -> None:
        """Remove the subvolume made of a layer."""
        for name in (b"tree", b"making"):
            _delete(folder, name)


def _make(layer: Path, below: Path | None, tree: Path) -> None:
    """Make a layer's subvolume under another name first: what has its name is whole."""
    _delete(layer.parent, b"making")
    _copy(below, layer.parent, "making")
    source, target = os.open(layer, FOLDER), os.open(layer.parent / "making", FOLDER)
    try:
        merge(source, target)
    finally:
        os.close(source)
        os.close(target)
    trees.dress_like(layer, layer.parent / "making")
    (layer.parent / "making").rename(tree)


def _copy(source: Path | None, folder: Path, name: str) -> None:
    into = os.open(folder, FOLDER)
    try:
        if source is None:
            btrfs.create_subvolume(into, name)
            return
        fd = os.open(source, FOLDER)
        try:
            btrfs.snapshot(fd, into, name)
        finally:
            os.close(fd)
    finally:
        os.close(into)


def _delete(folder: Path, name: bytes) -> None:
    try:
        fd = os.open(folder, FOLDER)
    except FileNotFoundError:
        return
    try:
        btrfs.delete_subvolume(fd, name)
    finally:
        os.close(fd)
