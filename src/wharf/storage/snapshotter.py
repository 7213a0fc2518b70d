"""What a store of unpacked layers does; the contract suite is tests/contract/storage/snapshotter.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from wharf.kernel.mount_view import Layers
from wharf.lib.digest import Digest
from wharf.spec.shim_messages import RootfsMount
from wharf.storage.tar_reader import Source


class Stage(Protocol):
    """A layer on its way in: a folder to unpack into, gone unless it is adopted."""

    @property
    def path(self) -> Path:
        """The folder that will be the layer."""


class Draft(Protocol):
    """A layer being made on others. Everything blocks."""

    @property
    def folder(self) -> Path:
        """Where files can be put that go with the draft."""

    def open(self) -> AbstractContextManager[int]:
        """Open the root that the layers make, to be changed."""

    def mount(self, floor: Path) -> RootfsMount:
        """Return how the runtime mounts that root.

        Names in ``floor`` show where no layer has them; they are no change.
        """

    def layer(self) -> AbstractContextManager[Stage]:
        """Give what has changed, to be adopted; the draft is at its end."""


class Snapshotter(Protocol):
    """Committed layers by chain id, and one writable layer a container on top of them. Everything blocks."""

    def sweep(self) -> None:
        """Remove what killed processes left: once, before all else."""

    def stage(self) -> AbstractContextManager[Stage]:
        """Begin a layer."""

    def adopt(self, stage: Stage, chain_id: Digest) -> None:
        """Give a staged layer its name; one that exists is kept. It does not count until :meth:`record`."""

    def record(  # the layer's own facts
        self,
        db: sqlite3.Connection,
        chain_id: Digest,
        *,
        parent: Digest | None,
        diff_id: Digest,
        size_bytes: int,
        packed: bool = False,
    ) -> None:
        """Enter an adopted layer, inside the caller's transaction; idempotent. It may not be on the disk yet.

        ``packed`` says that its diff id is the digest of what its files are packed into here.
        """

    def exists(self, chain_id: str) -> bool:
        """Return whether a layer is recorded."""

    def lower_dirs(self, chain_id: str) -> list[Path]:
        """Return the folders of a layer and of those below it, the uppermost first; none for ""."""

    def remove(self, chain_id: Digest) -> int:
        """Remove a layer that no other lies on; return its bytes."""

    def prepare(self, container_id: str, chain_id: str = "") -> None:
        """Make a container's own layer on an image's."""

    def mount_of(self, container_id: str, chain_id: str) -> RootfsMount:
        """Return how to mount a container's root."""

    def attach(self, container_id: str, chain_id: str) -> None:
        """Make on the host what :meth:`mount_of` needs there; most drivers need nothing."""

    def detach(self, container_id: str) -> None:
        """Undo that; idempotent."""

    def changes(self, container_id: str, chain_id: str) -> AbstractContextManager[Path]:
        """Give what a container has changed, as the upper folder of an overlay; maybe with archives' marks."""

    def open_image(self, chain_id: str) -> AbstractContextManager[int | None]:
        """Give the root of an image to be read; None for ""."""

    def draft(self, chain_id: str) -> AbstractContextManager[Draft]:
        """Begin a layer that is made by changing those below it; gone at the end unless it was adopted."""

    def combined(self, lower: Sequence[Path], *, read_only: bool = False) -> AbstractContextManager[RootfsMount]:
        """Give how the runtime mounts folders on each other, the uppermost first; what is written goes at the end."""

    def size_of(self, container_id: str, chain_id: str = "") -> int:
        """Return the bytes that a container has of its own."""

    def discard(self, container_id: str) -> None:
        """Remove a container's folder with its own layer; idempotent."""


class Roots(Protocol):
    """A storage driver: how a container's root is put together of layers. Everything blocks.

    ``folder`` is the container's, ``lower`` has the folders of its image's layers, the uppermost first, ``scratch``
    makes an empty folder that goes afterwards.
    """

    @property
    def name(self) -> str:
        """What Docker calls it."""

    @property
    def copies(self) -> bool:
        """Whether :meth:`prepare` takes time."""

    @property
    def attaches(self) -> bool:
        """Whether :meth:`attach` and :meth:`detach` do anything."""

    @property
    def marks_as_archives(self) -> bool:
        """Whether :meth:`changes` may have deletions written as archives write them, beside overlay's way."""

    @property
    def takes_archives(self) -> bool:
        """Whether layers come in by :meth:`take_archive`, and are not unpacked."""

    def take_archive(self, layer: Path, archive: Source) -> int:
        """Keep a layer in a form of the driver's own, with an index for instance.

        Args:
            layer: the layer's own folder, empty but for ``fs``; it may move before it is used.
            archive: the tar archive, uncompressed, read to its end; hostile.

        Returns:
            The bytes of its files.

        Raises:
            InvalidArgument: the archive is corrupt, or an entry of it is refused.
        """

    def files(self, layer: Path) -> Path:
        """Return the folder that shows a layer's files: ``fs`` in its own one, ``layer``, unless it has another form.

        A driver that has taken the layer's archive mounts or makes it here; idempotent, from any thread.
        :meth:`release_layer` undoes it.
        """

    def require(self, data_root: Path) -> None:
        """Refuse a machine or a data root that cannot be used; NotImplementedHere says why."""

    def prepare(self, folder: Path, lower: Sequence[Path]) -> None:
        """Make what a container has of its own."""

    def lay_floor(self, folder: Path, floor: Path) -> None:
        """Let names of ``floor`` show that a prepared root lacks; it is mounted with that as its lowest layer."""

    def limit(self, folder: Path, size_bytes: int) -> None:
        """Let a container's root hold no more than that; NotImplementedHere, in Docker's words, where it cannot."""

    def mount(self, folder: Path, lower: Sequence[Path]) -> RootfsMount:
        """Return how the runtime mounts the root."""

    def attach(self, folder: Path, lower: Sequence[Path]) -> None:
        """Make on the host what that mount needs there; idempotent."""

    def detach(self, folder: Path) -> None:
        """Undo :meth:`attach`; idempotent."""

    def open(self, folder: Path, lower: Sequence[Path]) -> AbstractContextManager[int]:
        """Open a prepared root, to be changed by this process."""

    def combine(self, folder: Path, lower: Sequence[Path], *, read_only: bool) -> RootfsMount:
        """Return how the runtime mounts any folders, not only layers, on each other; :meth:`release` undoes it."""

    def layers(
        self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path], *, write: bool
    ) -> AbstractContextManager[Layers]:
        """Give what a view of a stopped container's root is made of, for as long as it is open."""

    def changes(
        self, folder: Path, lower: Sequence[Path], scratch: Callable[[], Path]
    ) -> AbstractContextManager[Path]:
        """Give what the container has changed, as the upper folder of an overlay."""

    def size(self, folder: Path, lower: Sequence[Path]) -> int:
        """Return the bytes of that; 0 when there is no such container."""

    def image(self, lower: Sequence[Path], scratch: Callable[[], Path]) -> AbstractContextManager[int]:
        """Give a descriptor of the image's root, to be read."""

    def release(self, folder: Path) -> None:
        """Let go of what could not be removed with a container's folder; idempotent."""

    def release_layer(self, folder: Path) -> None:
        """Let go of what could not be removed with a layer's folder; idempotent."""
