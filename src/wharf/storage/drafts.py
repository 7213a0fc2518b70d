"""Layers that are made by changing those below them, whatever the storage driver: by builds, for instance.

A draft is a root like a container's, in a folder below ``ingest/``; what has changed in it becomes the layer.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wharf.kernel.libc import suppress_errno
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import overlay_marks as marks
from wharf.storage.snapshotter import Roots
from wharf.storage.trees import opened_folder, walk


@dataclass(frozen=True, slots=True)
class StagedLayer:
    """A folder below ``ingest/``; ``root`` is what gets the chain id's name."""

    root: Path

    @property
    def path(self) -> Path:
        """The folder to unpack into."""
        return self.root / "fs"


@dataclass(slots=True)
class LayerDraft:
    """One of them; ``folder`` goes with whoever has made it."""

    roots: Roots
    folder: Path
    lower: Sequence[Path]  # the folders of the layers below, the uppermost first
    scratch: Callable[[], Path]
    _prepared: bool = field(default=False, init=False)
    _mounted: list[Path] = field(default_factory=list, init=False)  # the floor, once there is one

    @contextmanager
    def open(self) -> Iterator[int]:
        """Open the root, to be changed."""
        self._prepare()
        with self.roots.open(self.folder, self.lower) as fd:
            yield fd

    def mount(self, floor: Path) -> RootfsMount:
        """Return how the runtime mounts the root.

        Names in ``floor`` show where no layer has them; they are no change.
        """
        self._prepare()
        self.roots.lay_floor(self.folder, floor)
        self._mounted = [floor]
        self.roots.attach(self.folder, self._all)
        return self.roots.mount(self.folder, self._all)

    @contextmanager
    def layer(self) -> Iterator[StagedLayer]:
        """Give what has changed, to be adopted; the draft is at its end."""
        self._prepare()
        self.roots.detach(self.folder)
        made = StagedLayer(self.folder / "layer")
        made.root.mkdir(mode=0o711)
        with self.roots.changes(self.folder, self._all, self.scratch) as changes:
            changes.rename(made.path)
            if self.roots.marks_as_archives:
                translate(made.path)
            yield made

    @contextmanager
    def left(self) -> Iterator[StagedLayer]:
        """Give what has changed, to be looked into and to make other drafts on it; the draft is at its end."""
        with self.layer() as made:
            try:
                yield made
            finally:
                self.roots.release_layer(made.root)

    @property
    def _all(self) -> list[Path]:
        return [*self.lower, *self._mounted]

    def _prepare(self) -> None:
        if not self._prepared:
            self.roots.prepare(self.folder, self.lower)
            self._prepared = True


def translate(layer: Path) -> None:
    """Write deletions as overlay does where they are written as archives do: fuse-overlayfs has both ways."""
    with opened_folder(layer) as top:
        for node in walk(top):
            if node.name.startswith(marks.WHITEOUT_PREFIX) and not stat.S_ISDIR(node.status.st_mode):
                os.unlink(node.name, dir_fd=node.folder_fd)
                _mark(node.folder_fd, node.name)


def _mark(folder: int, name: bytes) -> None:
    if name == marks.OPAQUE_MARK:
        marks.mark_opaque(folder)
    elif not name.startswith(marks.RESERVED_PREFIX):
        with suppress_errno(errno.EEXIST):
            marks.make_whiteout(name[len(marks.WHITEOUT_PREFIX) :], folder)
