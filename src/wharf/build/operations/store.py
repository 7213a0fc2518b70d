"""Layers as operations see them: opened to be read, opened to be changed, and kept once the change is done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wharf.build.operations.linking import link_tree
from wharf.build.operations.results import Folder, Layers, Tree, Unfinished
from wharf.images.packing import diff_id_of
from wharf.lib.digest import Digest, chain_ids
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import overlay_marks as marks
from wharf.storage import trees
from wharf.storage.drafts import LayerDraft, StagedLayer
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.storage.trees import Node

Recorder = Callable[[sqlite3.Connection, str], None]
"""Enters what refers to a layer, by its chain id, inside a transaction."""


def unrecorded(db: sqlite3.Connection, chain_id: str) -> None:
    """Enter nothing: the layer is below one that something refers to."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A layer being made on ``base``."""

    base: Layers | Unfinished
    made: LayerDraft

    @property
    def stubs(self) -> Path:
        """A lowest layer with the mount points that the base may lack: so none is made in what changes."""
        return self.made.folder / "stubs"

    @property
    def bundle(self) -> Path:
        """Where the runtime finds its configuration."""
        return self.made.folder / "bundle"


class Store:
    """The layers that builds make; everything blocks."""

    def __init__(self, snapshots: Snapshots, database: Database) -> None:
        self._snapshots = snapshots
        self._database = database

    @contextmanager
    def draft(self, base: Layers | Unfinished) -> Iterator[Draft]:
        """Begin a layer; gone at the end unless it was kept."""
        above, layers = ((base.upper,), base.base) if isinstance(base, Unfinished) else ((), base)
        with self._snapshots.draft(layers.chain_id, above) as made:
            yield Draft(base, made)

    @contextmanager
    def open(self, tree: Tree) -> Iterator[int | None]:
        """Open a result, to be read; None when there is nothing in it."""
        match tree:
            case Folder(path=path):
                with trees.opened_folder(path) as fd:
                    yield fd
            case Layers(chain_id=chain_id):
                with self._snapshots.open_image(chain_id) as image:
                    yield image
            case Unfinished():
                with self._snapshots.open_folders(self.folders(tree)) as root:
                    yield root

    @contextmanager
    def change(self, draft: Draft) -> Iterator[int]:
        """Open a draft's files, to be changed."""
        with draft.made.open() as fd:
            yield fd

    def folders(self, tree: Tree) -> list[Path]:
        """Return the folders that make a result, the uppermost first."""
        match tree:
            case Folder(path=path):
                return [path]
            case Layers(chain_id=chain_id):
                return self._snapshots.lower_dirs(chain_id)
            case Unfinished(base=base, upper=upper):
                return [upper, *self._snapshots.lower_dirs(base.chain_id)]

    def root_of(self, draft: Draft) -> RootfsMount:
        """Return how a command gets a draft as its root, over its stubs."""
        return draft.made.mount(draft.stubs)

    def combined(self, folders: Sequence[Path], *, read_only: bool) -> AbstractContextManager[RootfsMount]:
        """Give how a command gets folders on each other; what it writes there goes."""
        return self._snapshots.combined(folders, read_only=read_only)

    def keep(self, draft: Draft, record: Recorder, finish: Callable[[Path], None] | None = None) -> Layers:
        """Make a draft a layer of the store.

        Args:
            draft: what becomes it.
            record: enters what refers to it, in the same transaction.
            finish: is given the layer's folder before, mounted nowhere any more.

        Raises:
            InvalidArgument: a file in it has a name that marks a deletion.
        """
        assert isinstance(draft.base, Layers), "nothing is built on what a command that failed has left"
        with draft.made.layer() as layer:
            if finish is not None:
                finish(layer.path)
            return self._enter(draft.base, layer, record)

    @contextmanager
    def topped(self, base: Layers, files: Mapping[str, bytes]) -> Iterator[Unfinished]:
        """Give layers with some more files at their top; those are for their owner alone."""
        with self._snapshots.stage() as stage:
            stage.path.mkdir(mode=0o755, exist_ok=True)
            for name, data in files.items():
                (stage.path / name).write_bytes(data)
                (stage.path / name).chmod(0o600)
            try:
                yield Unfinished(base, stage.path)
            finally:
                self._snapshots.roots.release_layer(stage.root)

    @contextmanager
    def left(self, draft: Draft) -> Iterator[Unfinished]:
        """Give what was written to a draft, as it is; the draft is at its end."""
        assert isinstance(draft.base, Layers), "the same holds"
        with draft.made.left() as layer:
            yield Unfinished(draft.base, layer.path)

    def _enter(self, base: Layers, layer: StagedLayer, record: Recorder) -> Layers:
        diff_id, size_bytes = diff_id_of(layer.path, _without_marks), trees.usage(layer.path)
        parent = Digest(base.chain_id) if base.chain_id else None
        chain_id = diff_id if parent is None else chain_ids([parent, diff_id])[-1]
        self._snapshots.adopt(layer, chain_id)
        with self._database.transaction() as db:
            self._snapshots.record(db, chain_id, parent=parent, diff_id=diff_id, size_bytes=size_bytes, packed=True)
            record(db, chain_id)
        return Layers(chain_id)

    def remember(self, layers: Layers, record: Recorder) -> Layers:
        """Enter one more reference to layers that are there."""
        with self._database.transaction() as db:
            record(db, layers.chain_id)
        return layers

    def stack(self, base: Layers, upper: Layers, record: Recorder) -> Layers:
        """Put the layers of ``upper`` on ``base``."""
        result = base
        chain = list(reversed(self._snapshots.chain(upper.chain_id)))
        for number, layer in enumerate(chain, 1):
            result = self.add_layer(result, layer, record if number == len(chain) else unrecorded)
        return result

    def add_layer(self, base: Layers, layer: Digest, record: Recorder, latest_ns: int | None = None) -> Layers:
        """Put one layer, without those below it, on ``base``; what is younger than ``latest_ns`` gets that time.

        Its files are linked, and copied only where their time changes.
        """
        with self._snapshots.stage() as stage:
            link_tree(self._snapshots.lower_dirs(layer)[0], stage.path, latest_ns)
            return self._enter(base, stage, record)

    def above(self, lower: Layers, upper: Layers) -> list[Digest] | None:
        """Return the layers of ``upper`` above ``lower``, the lowest first; None when it does not lie on it."""
        chain = list(reversed(self._snapshots.chain(upper.chain_id)))
        if not lower.chain_id:
            return chain
        return chain[chain.index(Digest(lower.chain_id)) + 1 :] if lower.chain_id in chain else None


def _without_marks(node: Node) -> bool:
    """Refuse what the archive would have as a mark, so that here and elsewhere a layer holds the same."""
    marks.refuse(node.path)
    return False
