"""Layers as overlay wants them: committed ones by chain id, and a container's own.

A layer is unpacked below ``ingest/``, renamed to its chain id, then recorded in the database. What has a name but no
record is a leftover of a process that was killed: :meth:`Snapshots.sweep` removes it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from wharf.errors import Conflict, DataLoss, Unavailable
from wharf.kernel.libc import suppress_errno
from wharf.kernel.mount_view import Layers
from wharf.kernel.rename import exchange
from wharf.lib.digest import Digest, hex_of
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import trees
from wharf.storage.content import fsync_folder, sync_system
from wharf.storage.drafts import LayerDraft, StagedLayer
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.places import Places
from wharf.storage.roots.overlay import OverlayRoots
from wharf.storage.snapshotter import Roots, Stage
from wharf.storage.unsettled import LAYER, Unsettled

_CHAIN: Final = """
    WITH RECURSIVE chain (chain_id, diff_id, parent, depth) AS (
        SELECT chain_id, diff_id, parent, 0 FROM snapshots WHERE chain_id = ?
        UNION ALL
        SELECT s.chain_id, s.diff_id, s.parent, depth + 1 FROM snapshots s JOIN chain c ON s.chain_id = c.parent
    )
    SELECT chain_id, diff_id FROM chain ORDER BY depth
"""

_SWEEPS: Final = 50
_SWEEP_PAUSE_S: Final = 0.02


class Snapshots:
    """The layers of one data root."""

    def __init__(self, data: DataRoot, database: Database, roots: Roots | None = None) -> None:
        self._data = data
        self._database = database
        self.roots = roots or OverlayRoots()
        """The storage driver."""
        self._lower: dict[str, list[Path]] = {}  # of layers that exist: asked for at each start
        self._withheld: frozenset[Digest] = frozenset()
        self._removals = 0
        self.unsettled = Unsettled(database)
        """Which layers, and blobs, may not be on the disk yet."""
        for folder in (data.snapshots, data.ingest, data.containers):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._places = Places(data.ingest)

    def sweep(self) -> None:
        """Remove what killed processes left; call once, before the first stage."""
        for left in self._data.ingest.iterdir():
            if left.is_dir():
                self.roots.release(left)
                self.roots.release_layer(left)
        _empty(self._data.ingest)
        recorded = {hex_of(str(chain_id)) for (chain_id,) in self._database.query("SELECT chain_id FROM snapshots")}
        for folder in self._data.snapshots.iterdir():
            if folder.name not in recorded:
                self._remove_layer(folder)

    @contextmanager
    def stage(self) -> Iterator[StagedLayer]:
        """Begin a layer; its folder is removed at the end unless it was adopted."""
        layer = StagedLayer(self._places.make(lambda: secrets.token_hex(8)))
        layer.path.mkdir(mode=0o755)
        layer.path.chmod(0o755)  # whatever the umask: it may become the root folder
        try:
            yield layer
        finally:
            self.roots.release(layer.root)
            self._places.leave(layer.root)
            trees.remove(layer.root, self._data.ingest)

    def files_of(self, stage: Stage) -> Path:
        """Return the folder that shows a staged layer's files, however the driver keeps them."""
        return self.roots.files(stage.path.parent)

    @property
    def incoming(self) -> Path:
        """Where staged layers are."""
        return self._data.ingest

    def adopt(self, stage: Stage, chain_id: Digest) -> None:
        """Give a staged layer its name; one that exists is kept. It does not count until :meth:`record`."""
        self.adopt_all({chain_id: stage})

    def adopt_all(self, stages: Mapping[Digest, Stage]) -> None:
        """Do that for several, the lowest first."""
        for chain_id, stage in stages.items():
            target = self._data.snapshots / hex_of(chain_id)
            if not target.exists():
                stage.path.parent.rename(target)

    def record(
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
        db.execute(
            "INSERT INTO snapshots (chain_id, parent, diff_id, size_bytes, packed) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (chain_id) DO NOTHING",
            (chain_id, parent, diff_id, size_bytes, packed),
        )
        self.unsettled.note(db, LAYER, [chain_id])

    def exists(self, chain_id: str) -> bool:
        """Return whether a layer is recorded."""
        return bool(self._database.query("SELECT 1 FROM snapshots WHERE chain_id = ?", (chain_id,)))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every layer, by chain id."""
        rows = self._database.query("SELECT chain_id, size_bytes FROM snapshots")
        return {str(chain_id): int(size or 0) for chain_id, size in rows}

    def size(self, chain_id: str) -> int:
        """Return the bytes of one layer; DataLoss when there is none."""
        rows = self._database.query("SELECT size_bytes FROM snapshots WHERE chain_id = ?", (chain_id,))
        if not rows:
            raise DataLoss(f"layer {chain_id} is missing from the snapshots")
        return int(rows[0][0] or 0)

    def total_size(self) -> int:
        """Return the bytes of all layers."""
        return sum(self.sizes().values())

    def lower_dirs(self, chain_id: str) -> list[Path]:
        """Return the folders of a layer and of those below it, the uppermost first; none for "".

        Raises:
            DataLoss: there is no such layer.
            Unavailable: one of them is withheld.
        """
        known = self._lower.get(chain_id)
        if known is not None:
            return known
        removals = self._removals
        chain = self.chain(chain_id)
        if chain_id and not chain:
            raise DataLoss(f"layer {chain_id} is missing from the snapshots")
        if doubtful := self._withheld.intersection(chain):
            raise Unavailable(
                f"layer {min(doubtful)} could not be unpacked again after the machine had stopped: "
                "make room on the disk, and start the engine again"
            )
        found = [self.roots.files(self._data.snapshots / hex_of(layer)) for layer in chain]
        if removals == self._removals:
            self._lower[chain_id] = found
        return found

    def diff_ids(self, chain_id: str) -> list[Digest]:
        """Return the diff ids of a layer and of those below it, the lowest first; none for ""."""
        rows = self._database.query(_CHAIN, (chain_id,))
        return [Digest(str(diff_id)) for _, diff_id in reversed(rows)]

    def chain(self, chain_id: str) -> list[Digest]:
        """Return a layer and those below it, the uppermost first; none for one that does not exist."""
        return [Digest(str(row[0])) for row in self._database.query(_CHAIN, (chain_id,))]

    def links(self) -> dict[Digest, tuple[Digest | None, Digest]]:
        """Return the layer below and the diff id of every layer."""
        rows = self._database.query("SELECT chain_id, parent, diff_id FROM snapshots")
        return {
            Digest(str(layer)): (Digest(str(parent)) if parent else None, Digest(str(diff_id)))
            for layer, parent, diff_id in rows
        }

    def packed(self) -> set[Digest]:
        """Return the layers whose diff id is the digest of what their files are packed into here."""
        return {Digest(str(row[0])) for row in self._database.query("SELECT chain_id FROM snapshots WHERE packed")}

    def strangers(self) -> set[str]:
        """Return the names of folders that are no recorded layer: left behind, or about to be recorded."""
        return {folder.name for folder in self._data.snapshots.iterdir()} - {hex_of(layer) for layer in self.sizes()}

    def mend(self, stage: Stage, chain_id: Digest) -> None:
        """Put a staged folder in the place of a damaged layer's; atomic.

        What runs on the old one sees it until it is started again, less and less of it.
        """
        target = self._data.snapshots / hex_of(chain_id)
        sync_system(self._data.ingest)
        if target.exists():
            exchange(stage.path.parent, target)  # the stage's end removes what was here
        else:
            self.adopt(stage, chain_id)
        fsync_folder(self._data.snapshots)

    def withhold(self, layers: Collection[Digest]) -> None:
        """Give these layers, which may be damaged, to nobody, as long as this process lives."""
        self._withheld = frozenset(layers)
        self._lower.clear()

    def uppermost_first(self, layers: Collection[str]) -> list[Digest]:
        """Return ``layers`` in an order in which they can be removed."""
        return sorted(map(Digest, layers), key=lambda layer: len(self.chain(layer)), reverse=True)

    def remove(self, chain_id: Digest) -> int:
        """Remove a layer; return its bytes, 0 when there was none.

        Raises:
            Conflict: another layer lies on it.
        """
        size = self.sizes().get(chain_id)
        if size is None:
            return 0
        try:
            with self._database.transaction() as db:
                db.execute("DELETE FROM snapshots WHERE chain_id = ?", (chain_id,))
        except sqlite3.IntegrityError:
            raise Conflict(f"layer {chain_id} is in use by another layer") from None
        self._removals += 1
        self._lower.clear()
        self._remove_layer(self._data.snapshots / hex_of(chain_id))
        return size

    def _remove_layer(self, folder: Path) -> None:
        self.roots.release_layer(folder)
        self._places.leave(folder)
        trees.remove(folder, self._data.ingest)

    def prepare(self, container_id: str, chain_id: str = "") -> None:
        """Make a container's folder and its own layer in it; nothing remains when this raises.

        Raises:
            Conflict: the folder exists.
        """
        folder = self._data.container(container_id)
        try:
            os.mkdir(folder, 0o710)
        except FileExistsError:
            raise Conflict(f"the folder of container {container_id} exists already") from None
        try:
            self.roots.prepare(folder, self.lower_dirs(chain_id))
        except BaseException:
            self.discard(container_id)
            raise

    def limit(self, container_id: str, size_bytes: int) -> None:
        """Let a container's root hold no more than that.

        Raises:
            NotImplementedHere: the storage driver cannot, in Docker's words.
        """
        self.roots.limit(self._data.container(container_id), size_bytes)

    def mount_of(self, container_id: str, chain_id: str) -> RootfsMount:
        """Return how to mount a container's root: its own layer on the image's, or alone when there are none."""
        return self.roots.mount(self._data.container(container_id), self.lower_dirs(chain_id))

    def attach(self, container_id: str, chain_id: str) -> None:
        """Make on the host what that mount needs there, before a start; most drivers need nothing."""
        self.roots.attach(self._data.container(container_id), self.lower_dirs(chain_id))

    def detach(self, container_id: str) -> None:
        """Undo that, after the end; idempotent."""
        self.roots.detach(self._data.container(container_id))
        for place in self._image_places(container_id):
            self.roots.release(place)

    def place_image(self, container_id: str, target: str, chain_id: str) -> str:
        """Return a folder of a container's that shows an image, made anew, for its mount at ``target``.

        "" where the runtime mounts the image's layers itself. It goes with the container.
        """
        lower = self.lower_dirs(chain_id)
        if len(lower) < 2 or not (self.roots.copies or self.roots.attaches):
            return ""
        place = self._data.container(container_id) / "images" / hashlib.sha256(os.fsencode(target)).hexdigest()
        self.roots.release(place)
        trees.remove(place, self._data.ingest)
        place.mkdir(mode=0o700, parents=True)
        return self.roots.combine(place, lower, read_only=True)["source"]

    def _image_places(self, container_id: str) -> list[Path]:
        with suppress_errno(errno.ENOENT):
            return list((self._data.container(container_id) / "images").iterdir())
        return []

    def _release(self, container_id: str) -> Path:
        """Let go of what a container has on the host; return its folder."""
        for folder in (*self._image_places(container_id), self._data.container(container_id)):
            self.roots.release(folder)
        return self._data.container(container_id)

    @contextmanager
    def layers_of(self, container_id: str, chain_id: str, *, write: bool) -> Iterator[Layers]:
        """Give what a view of a stopped container's root is made of, for as long as it is open."""
        folder, lower = self._data.container(container_id), self.lower_dirs(chain_id)
        with ExitStack() as stack:
            yield stack.enter_context(self.roots.layers(folder, lower, self._scratch(stack), write=write))

    @contextmanager
    def changes(self, container_id: str, chain_id: str) -> Iterator[Path]:
        """Give what a container has changed of its image, as the upper folder of an overlay."""
        folder, lower = self._data.container(container_id), self.lower_dirs(chain_id)
        with ExitStack() as stack:
            yield stack.enter_context(self.roots.changes(folder, lower, self._scratch(stack)))

    @contextmanager
    def open_image(self, chain_id: str) -> Iterator[int | None]:
        """Open the root of an image, read-only; None for ""."""
        lower = self.lower_dirs(chain_id)
        if not lower:
            yield None
            return
        with self.open_folders(lower) as fd:
            yield fd

    @contextmanager
    def open_folders(self, lower: Sequence[Path]) -> Iterator[int]:
        """Open folders that lie on each other, the uppermost first, read-only."""
        with ExitStack() as stack:
            yield stack.enter_context(self.roots.image(lower, self._scratch(stack)))

    def _scratch(self, stack: ExitStack) -> Callable[[], Path]:
        return lambda: stack.enter_context(self.stage()).root

    @contextmanager
    def draft(self, chain_id: str, above: Sequence[Path] = ()) -> Iterator[LayerDraft]:
        """Begin a layer that is made by changing those below it; gone at the end unless it was adopted.

        Folders ``above``, the uppermost first, lie on the layers and are none of them.
        """
        with ExitStack() as stack:
            root = stack.enter_context(self.stage()).root
            yield LayerDraft(self.roots, root, [*above, *self.lower_dirs(chain_id)], self._scratch(stack))

    @contextmanager
    def combined(self, lower: Sequence[Path], *, read_only: bool = False) -> Iterator[RootfsMount]:
        """Give how the runtime mounts folders on each other, the uppermost first; what is written goes at the end."""
        with self.stage() as stage:
            yield self.roots.combine(stage.root, lower, read_only=read_only)

    def size_of(self, container_id: str, chain_id: str = "") -> int:
        """Return the bytes that a container has of its own; 0 when it has none."""
        return self.roots.size(self._data.container(container_id), self.lower_dirs(chain_id))

    def container_ids(self) -> list[str]:
        """Return the names of all containers' folders, recorded or not."""
        return sorted(path.name for path in self._data.containers.iterdir())

    def bury(self, container_id: str) -> Callable[[], None] | None:
        """Make a container's folder with its own layer disappear at once.

        Returns what frees its space, which takes time; if that is never called, the next start of an engine does it.
        None when there is no such folder.
        """
        grave = trees.bury(self._release(container_id), self._data.ingest)
        return None if grave is None else lambda: trees.remove_buried(grave)

    def discard(self, container_id: str) -> None:
        """Remove a container's folder with its own layer; idempotent."""
        trees.remove(self._release(container_id), self._data.ingest)


def _empty(ingest: Path) -> None:
    """Empty a folder in which a dying process (a worker of a killed engine) may still make its last file."""
    for _ in range(_SWEEPS):
        try:
            trees.empty(ingest)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            time.sleep(_SWEEP_PAUSE_S)
        else:
            return
    trees.empty(ingest)
