"""overlay2: the kernel's overlay mount; a container's own layer is its upper folder. Nothing is copied."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from wharf.errors import NotImplementedHere
from wharf.kernel import overlay_detached, overlay_options, userns
from wharf.kernel.mount_view import Layers
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import trees
from wharf.storage.project_limits import ProjectLimits
from wharf.storage.tar_reader import Source


class OverlayRoots:
    """The default."""

    name = "overlay2"
    copies = False
    attaches = False
    marks_as_archives = False
    takes_archives = False

    def __init__(self, limits: ProjectLimits | None = None) -> None:
        """Have containers' own layers limited by ``limits``: quotas of projects."""
        self._limits = limits or ProjectLimits()
        self._may_limit = False

    def take_archive(self, layer: Path, archive: Source) -> int:
        """Layers are unpacked."""
        raise NotImplementedError

    def files(self, layer: Path) -> Path:
        """Return the folder that the layer was unpacked into."""
        return layer / "fs"

    def require(self, data_root: Path) -> None:
        """Try a mount where that may be refused: in a user namespace. Else every kernel that Wharf runs on has it.

        Raises:
            NotImplementedHere: with what the kernel said.
        """
        self._may_limit = self._limits.supported(data_root)
        if userns.inside():
            _try_mount(data_root)

    def prepare(self, folder: Path, lower: Sequence[Path]) -> None:
        """Make the container's own layer, whose root looks like the image's."""
        for name, mode in (("upper", 0o755), ("work", 0o700)):
            (folder / name).mkdir()
            (folder / name).chmod(mode)
        if lower:
            trees.dress_like(lower[0], folder / "upper")

    def lay_floor(self, folder: Path, floor: Path) -> None:
        """It is mounted as the lowest layer."""

    def limit(self, folder: Path, size_bytes: int) -> None:
        """Make the container's own layer a project of that size.

        Raises:
            NotImplementedHere: the file system has no quotas of projects; Docker's words to begin with.
        """
        if not self._may_limit:
            raise NotImplementedHere(
                "--storage-opt is supported only for overlay over xfs or ext4 with 'pquota' mount option: mount the "
                "data root so, or use the storage driver btrfs or a tmpfs"
            )
        self._limits.limit([folder / "upper", folder / "work"], size_bytes)

    def mount(self, folder: Path, lower: Sequence[Path]) -> RootfsMount:
        """Return an overlay, or the container's own folder alone when there is nothing below it."""
        if not lower:
            return own_folder(folder)
        return described(lower, f"upperdir={folder / 'upper'}", f"workdir={folder / 'work'}")

    def attach(self, folder: Path, lower: Sequence[Path]) -> None:
        """Nothing of it is on the host."""

    def detach(self, folder: Path) -> None:
        """Nothing of it is on the host."""

    @contextmanager
    def open(self, folder: Path, lower: Sequence[Path]) -> Iterator[int]:
        """Give a detached mount, which goes with its descriptor."""
        if not lower:
            with trees.opened_folder(folder / "upper") as fd:
                yield fd
            return
        upper, work = str(folder / "upper"), str(folder / "work")
        options = overlay_options.mapping()
        with opened(overlay_detached.detached([str(path) for path in lower], upper, work, options=options)) as fd:
            yield fd

    def combine(self, folder: Path, lower: Sequence[Path], *, read_only: bool) -> RootfsMount:
        """Return an overlay, without a folder for changes where there will be none."""
        if read_only and len(lower) > 1:
            return described(lower, "ro")
        self.prepare(folder, lower)
        return self.mount(folder, lower)

    @contextmanager
    def layers(
        self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path], *, write: bool
    ) -> Iterator[Layers]:
        """Give the folders of an overlay."""
        del scratch
        upper, below = str(folder / "upper"), [str(path) for path in lower]
        yield Layers(below, upper, str(folder / "work")) if write else Layers([upper, *below])

    @contextmanager
    def changes(self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path]) -> Iterator[Path]:
        """Give the upper folder."""
        del lower, scratch
        yield folder / "upper"

    def size(self, folder: Path, lower: Sequence[Path]) -> int:
        """Return the bytes of the upper folder."""
        del lower
        return trees.usage(folder / "upper")

    @contextmanager
    def image(self, lower: Sequence[Path], scratch: Callable[[], Path]) -> Iterator[int]:
        """Give a detached mount, which goes with its descriptor."""
        del scratch
        with opened(overlay_detached.detached([str(path) for path in lower])) as fd:
            yield fd

    def release(self, folder: Path) -> None:
        """Lift the limit of a container's own layer, if it has one."""
        if self._may_limit:
            self._limits.lift(folder / "upper")

    def release_layer(self, folder: Path) -> None:
        """A layer's folder needs nothing before it is removed."""


def _try_mount(data_root: Path) -> None:
    with TemporaryDirectory(dir=data_root, prefix="overlay-") as place:
        folders = [f"{place}/{name}" for name in ("lower", "upper", "work")]
        for folder in folders:
            os.mkdir(folder)
        lower, upper, work = folders
        try:
            os.close(overlay_detached.detached([lower], upper, work, options=overlay_options.mapping()))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise NotImplementedHere(f"overlay cannot be mounted on {data_root}: {reason}") from error


def described(lower: Sequence[Path], *more: str) -> RootfsMount:
    """Return an overlay mount of these folders, the uppermost first."""
    options = [*(f"lowerdir+={path}" for path in lower), *more, *overlay_options.options()]
    return {"type": "overlay", "source": "overlay", "options": options}


def own_folder(folder: Path) -> RootfsMount:
    """Return how to mount a container's own folder as its root."""
    return {"type": "bind", "source": str(folder / "upper"), "options": ["bind", "private"]}


def sealed(mount: RootfsMount) -> RootfsMount:
    """Return the mount, read-only."""
    return {**mount, "options": [*mount["options"], "ro"]}


@contextmanager
def opened(mount: int) -> Iterator[int]:
    """Give the root of a detached mount for reading, and let the mount go in the end."""
    try:
        fd = os.open(".", trees.FOLDER, dir_fd=mount)
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        os.close(mount)
