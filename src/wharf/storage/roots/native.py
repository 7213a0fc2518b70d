"""vfs: a container's root is a copy of its image's. It works on every file system and for everybody, at that cost."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from wharf.errors import NotImplementedHere
from wharf.kernel import overlay
from wharf.kernel.mount_view import Layers
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import trees
from wharf.storage.roots.comparison import Compared, changed_bytes, write_changes
from wharf.storage.roots.merging import add_missing, merge
from wharf.storage.roots.overlay import opened, own_folder, sealed
from wharf.storage.roots.union import Union
from wharf.storage.tar_reader import Source
from wharf.storage.trees import opened_folder

PREPARED: Final = "prepared"
"""An empty file of the time when a root was whole."""

_NO_OVERLAY: Final = frozenset({errno.EPERM, errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP})


class NativeRoots:
    """Plain folders."""

    name = "vfs"
    copies = True
    attaches = False
    marks_as_archives = False
    takes_archives = False

    def take_archive(self, layer: Path, archive: Source) -> int:
        """Layers are unpacked."""
        raise NotImplementedError

    def files(self, layer: Path) -> Path:
        """Return the folder that the layer was unpacked into."""
        return layer / "fs"

    def require(self, data_root: Path) -> None:
        """Every file system will do."""

    def prepare(self, folder: Path, lower: Sequence[Path]) -> None:
        """Copy the image."""
        (folder / "upper").mkdir()
        (folder / "upper").chmod(0o755)
        put_together(lower, folder / "upper")
        (folder / PREPARED).touch()

    def lay_floor(self, folder: Path, floor: Path) -> None:
        """Make the names that the copy lacks."""
        with opened_folder(floor) as source, opened_folder(folder / "upper") as target:
            add_missing(source, target)

    def limit(self, folder: Path, size_bytes: int) -> None:
        """Refuse: a folder has no quota.

        Raises:
            NotImplementedHere: always, in Docker's words.
        """
        del folder, size_bytes
        raise NotImplementedHere(f"--storage-opt is not supported for {self.name}")

    def mount(self, folder: Path, lower: Sequence[Path]) -> RootfsMount:
        """Return the copy."""
        del lower
        return own_folder(folder)

    def attach(self, folder: Path, lower: Sequence[Path]) -> None:
        """Nothing of it is on the host."""

    def detach(self, folder: Path) -> None:
        """Nothing of it is on the host."""

    @contextmanager
    def open(self, folder: Path, lower: Sequence[Path]) -> Iterator[int]:
        """Open the copy."""
        del lower
        with opened_folder(folder / "upper") as fd:
            yield fd

    def combine(self, folder: Path, lower: Sequence[Path], *, read_only: bool) -> RootfsMount:
        """Copy."""
        NativeRoots.prepare(self, folder, lower)  # of folders that are no layers there are no subvolumes
        return sealed(own_folder(folder)) if read_only else own_folder(folder)

    @contextmanager
    def layers(
        self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path], *, write: bool
    ) -> Iterator[Layers]:
        """Give the copy alone."""
        del lower, scratch
        upper = str(folder / "upper")
        yield Layers([], upper) if write else Layers([upper])

    @contextmanager
    def changes(self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path]) -> Iterator[Path]:
        """Compare the copy with the image, and give what differs as an overlay's upper folder would have it."""
        target = scratch() / "changes"
        target.mkdir()
        with Union(lower) as image, opened_folder(folder / "upper") as own:
            write_changes(Compared(own, image, _prepared(folder)), target)
        trees.dress_like(folder / "upper", target)
        yield target

    def size(self, folder: Path, lower: Sequence[Path]) -> int:
        """Return the bytes of files that differ from the image's."""
        try:
            with Union(lower) as image, opened_folder(folder / "upper") as own:
                return changed_bytes(Compared(own, image, _prepared(folder)))
        except FileNotFoundError:
            return 0

    @contextmanager
    def image(self, lower: Sequence[Path], scratch: Callable[[], Path]) -> Iterator[int]:
        """Give an overlay where there is one, else a copy in a scratch folder."""
        with ExitStack() as stack:
            try:
                fd = stack.enter_context(opened(overlay.detached([str(path) for path in lower])))
            except OSError as error:
                if error.errno not in _NO_OVERLAY:
                    raise
                copy = scratch() / "image"
                copy.mkdir()
                put_together(lower, copy)
                fd = stack.enter_context(opened_folder(copy))
            yield fd

    def release(self, folder: Path) -> None:
        """A container's folder needs nothing before it is removed."""

    def release_layer(self, folder: Path) -> None:
        """A layer's folder needs nothing before it is removed."""


def put_together(lower: Sequence[Path], target: Path) -> None:
    """Copy layers, the uppermost first in ``lower``, into the empty folder ``target``."""
    with opened_folder(target) as into:
        for layer in reversed(lower):
            with opened_folder(layer) as source:
                merge(source, into)
    if lower:
        trees.dress_like(lower[0], target)


def _prepared(folder: Path) -> int:
    """Return when a root was whole, by the clock of the file system; 0 for one whose maker did not say."""
    try:
        return (folder / PREPARED).stat().st_ctime_ns
    except FileNotFoundError:
        return 0
