"""fuse-overlayfs: overlay in a program of its own, for whom the kernel does not let mount one.

The mount is on the host while the container runs, at ``containers/<id>/merged``: the program that serves it must
outlive the engine. It goes with the container's end, or when the next engine starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Final

from wharf.errors import NotImplementedHere, Unavailable
from wharf.kernel.mount import UmountFlag, umount
from wharf.kernel.mount_view import Layers
from wharf.kernel.process import run
from wharf.spec.shim_messages import RootfsMount
from wharf.storage.roots.overlay import OverlayRoots, own_folder, sealed
from wharf.storage.trees import opened_folder

_PROGRAM: Final = "fuse-overlayfs"
_PATIENCE_S: Final = 30.0


class FuseOverlayRoots(OverlayRoots):
    """Layers and a container's own one are overlay's; the mount is FUSE's."""

    name = _PROGRAM
    attaches = True
    marks_as_archives = True

    def require(self, data_root: Path) -> None:
        """Check that the program and the device are there.

        Raises:
            NotImplementedHere: one is missing.
        """
        del data_root
        if which(_PROGRAM) is None:
            raise NotImplementedHere(f"storage driver {_PROGRAM} needs the program of that name: install it")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise NotImplementedHere(f"storage driver {_PROGRAM} needs /dev/fuse, which cannot be opened")

    def mount(self, folder: Path, lower: Sequence[Path]) -> RootfsMount:
        """Return what :meth:`attach` has mounted."""
        if not lower:
            return own_folder(folder)
        return {"type": "bind", "source": str(folder / "merged"), "options": ["bind", "private"]}

    def attach(self, folder: Path, lower: Sequence[Path]) -> None:
        """Mount a container's root on the host; idempotent.

        Raises:
            Unavailable: the program says why not.
        """
        if lower:
            self.detach(folder)
            _mount(lower, folder / "merged", folder / "upper", folder / "work")

    def detach(self, folder: Path) -> None:
        """Take the mount away; idempotent."""
        _unmount(folder / "merged")

    @contextmanager
    def open(self, folder: Path, lower: Sequence[Path]) -> Iterator[int]:
        """Mount the root for as long as it is open."""
        self.attach(folder, lower)
        try:
            with opened_folder(folder / ("merged" if lower else "upper")) as fd:
                yield fd
        finally:
            self.detach(folder)

    def combine(self, folder: Path, lower: Sequence[Path], *, read_only: bool) -> RootfsMount:
        """Mount the folders on the host."""
        self.prepare(folder, lower)
        self.attach(folder, lower)
        made = self.mount(folder, lower)
        return sealed(made) if read_only else made

    @contextmanager
    def layers(
        self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path], *, write: bool
    ) -> Iterator[Layers]:
        """Give the root mounted by the program: to be read, below a folder of its own for what is written."""
        if not lower:
            with super().layers(folder, lower, scratch, write=write) as own:
                yield own
            return
        place = folder
        if not write:
            place, lower = scratch(), [folder / "upper", *lower]
            self.prepare(place, lower)
        self.attach(place, lower)
        try:
            yield Layers([], str(place / "merged"))
        finally:
            self.detach(place)

    @contextmanager
    def image(self, lower: Sequence[Path], scratch: Callable[[], Path]) -> Iterator[int]:
        """Give the layers mounted in a scratch folder, read-only."""
        place = scratch() / "merged"
        _mount(lower, place)
        try:
            with opened_folder(place) as fd:
                yield fd
        finally:
            _unmount(place)

    def release(self, folder: Path) -> None:
        """Take the mount away before the folder goes."""
        self.detach(folder)


def options(lower: Sequence[Path], upper: Path | None, work: Path | None) -> str:
    """Return the mount's options; a colon or a comma in a path is escaped. Pure.

    The program takes no option more than once, so the layers share one.
    """
    layers = ":".join(_escaped(path) for path in lower)
    if upper is None or work is None:
        return f"lowerdir={layers}"
    return f"lowerdir={layers},upperdir={_escaped(upper)},workdir={_escaped(work)}"


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _mount(lower: Sequence[Path], place: Path, upper: Path | None = None, work: Path | None = None) -> None:
    place.mkdir(exist_ok=True)
    done = run([_PROGRAM, "-o", options(lower, upper, work), str(place)], timeout_s=_PATIENCE_S)
    if done.code:
        raise Unavailable(f"{_PROGRAM} cannot mount {place}: {done.stderr.decode(errors='replace').strip()}")


def _unmount(place: Path) -> None:
    if os.path.ismount(place):
        umount(str(place), UmountFlag.DETACH)
