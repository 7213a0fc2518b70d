"""Whether the store is whole: every digest, every reference, every unpacked layer; and mending what can be mended.

Checked while the engine works: what is referred to is held, so nothing disappears under the check. Mending loses
nothing that is good: a blob whose bytes are not its name's is removed (a pull fetches it again), a layer is unpacked
again from its blob.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from wharf.errors import WharfError
from wharf.images.catalog import Catalog, blobs_of
from wharf.images.intake import Intake
from wharf.images.packing import diff_id_of
from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest, chain_ids, digest_of, hex_of
from wharf.lib.reference import Reference
from wharf.storage.comparing import differences
from wharf.storage.content import ContentStore
from wharf.storage.snapshots import Snapshots
from wharf.storage.trees import FOLDER

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    kind: str  # blob, image, reference, layer, index, container, volume, database, garbage
    subject: str  # which: a digest, a name or a path
    problem: str
    remedy: str = ""  # what to do about it
    repaired: bool = False
    harmless: bool = False  # it takes room, and that is all


@dataclass(frozen=True, slots=True)
class Depth:
    """How far a check goes."""

    quick: bool = False  # what is there, with its size: no bytes are read
    repair: bool = False


class ImageCheck:
    """One check of the images of a data root; everything blocks."""

    def __init__(
        self,
        catalog: Catalog,
        content: ContentStore,
        snapshots: Snapshots,
        intake: Callable[[], Intake],
        depth: Depth,
    ) -> None:
        self._catalog = catalog
        self._intake = intake
        self._content = content
        self._snapshots = snapshots
        self._depth = depth
        self._broken: set[Digest] = set()  # blobs whose bytes are not their name's
        self._records: list[ImageRecord] = []

    def run(self) -> Iterator[Finding]:
        """Yield what is wrong, as it is found."""
        with ExitStack() as stack:
            with self._catalog.lock:
                self._records = self._catalog.manifests()
                names = self._catalog.names()
                blobs = {digest for record in self._records for digest in blobs_of(record)}
                layers = self._snapshots.links()
                stack.enter_context(self._catalog.reach.hold([*blobs, *layers]))
                folders = self._snapshots.strangers()
            stack.enter_context(self._intake())  # its workers stay from layer to layer
            yield from self._blobs()
            yield from self._images()
            yield from self._references(names)
            yield from self._layers(layers)
            yield from self._garbage(folders)
        yield from self._index()

    def _blobs(self) -> Iterator[Finding]:
        for digest in [] if self._depth.quick else sorted(self._content.digests()):
            if self._content.verify(digest):
                continue
            self._broken.add(digest)
            remedy = "pull or load its image again"
            if self._depth.repair:
                self._content.delete(digest)
                remedy = f"removed: {remedy}"
            yield Finding("blob", digest, "its bytes are not what its name says", remedy, self._depth.repair)

    def _images(self) -> Iterator[Finding]:
        with self._catalog.lock:
            damaged = dict(self._catalog.damaged)
        for digest, why in damaged.items():
            remedy = "pull or load it again, or let --repair forget it"
            if self._depth.repair:
                self._catalog.forget_damaged(digest)
                remedy = "forgotten: pull or load it again"
            yield Finding("image", digest, why, remedy, self._depth.repair)
        for record in self._records:
            for digest, size in _parts(record):
                yield from self._part(record, digest, size)
            for chain_id in chain_ids(record.diff_ids):
                if not self._snapshots.exists(chain_id):
                    yield Finding("image", _named(record), f"layer {chain_id} is missing", "pull or load it again")

    def _part(self, record: ImageRecord, digest: Digest, size: int) -> Iterator[Finding]:
        problem = ""
        if not self._content.exists(digest):
            problem = f"blob {digest} is missing"
        elif digest not in self._broken and self._content.size(digest) != size:
            problem = f"blob {digest} has {self._content.size(digest)} bytes, not {size}"
        if problem:
            yield Finding("image", _named(record), problem, "pull or load it again")

    def _references(self, names: dict[str, tuple[Digest, Digest]]) -> Iterator[Finding]:
        for name, (target, manifest) in names.items():
            if target != manifest and manifest not in self._catalog.reach.members(target):
                problem = f"it names the index {target}, which does not list its image {manifest}"
                yield Finding("reference", name, problem, "pull or tag it again")

    def _layers(self, layers: dict[Digest, tuple[Digest | None, Digest]]) -> Iterator[Finding]:
        """Check each layer: its name, its folder and, against its blob, what is in that."""
        packed = set() if self._depth.quick else self._snapshots.packed()
        for chain_id, (parent, diff_id) in layers.items():
            expected = diff_id if parent is None else digest_of(f"{parent} {diff_id}".encode())
            if chain_id != expected:
                yield Finding("layer", chain_id, f"its parent and content make {expected}")
            folder = self._snapshots.lower_dirs(chain_id)[0]
            problem = "" if folder.is_dir() else "its folder is missing"
            stored = None if self._depth.quick else self._catalog.stored_layer(diff_id)
            if stored is not None and self._content.exists(digest := Digest(stored["digest"])):
                if digest not in self._broken:
                    yield from self._unpacked(chain_id, diff_id, digest, problem)
                continue
            if not problem and chain_id in packed and diff_id_of(folder) != diff_id:
                problem = "its files are not those that its build made"
            if problem:
                yield Finding("layer", chain_id, problem, "pull, load or build its image again, without the cache")

    def _unpacked(self, chain_id: Digest, diff_id: Digest, blob: Digest, problem: str) -> Iterator[Finding]:
        """Unpack a layer aside and compare."""
        with self._intake() as intake:
            try:
                layer = intake.layer_of_blob({"digest": blob})
            except (WharfError, OSError) as error:
                yield Finding("layer", chain_id, f"its blob {blob} cannot be unpacked: {error}")
                return
            assert layer.folder is not None, "it was unpacked just now"
            if layer.diff_id != diff_id:
                yield Finding("layer", chain_id, f"its blob {blob} holds {layer.diff_id}, not {diff_id}")
                return
            if not problem:
                problem = _compared(self._snapshots.files_of(layer.folder), self._snapshots.lower_dirs(chain_id)[0])
            if not problem:
                return
            remedy = "wharf system check --repair"
            if self._depth.repair:
                self._snapshots.mend(layer.folder, chain_id)
                remedy = "unpacked again: restart containers that run on it"
            yield Finding("layer", chain_id, problem, remedy, self._depth.repair)

    def _garbage(self, folders: set[str]) -> Iterator[Finding]:
        """Say what nothing refers to; folders only those that stay: others were about to be recorded."""
        with self._catalog.lock:
            blobs, layers = self._catalog.garbage()
            sizes = {digest: self._content.size(digest) for digest in blobs}
            forgotten = folders & self._snapshots.strangers()
        for digest in sorted(sizes):
            problem = f"a blob of {sizes[digest]} bytes that nothing refers to"
            yield Finding("garbage", digest, problem, "wharf image prune", harmless=True)
        for chain_id in sorted(layers):
            yield Finding("garbage", chain_id, "a layer that nothing refers to", "wharf image prune", harmless=True)
        for name in sorted(forgotten):
            problem = "an unpacked layer that is not recorded"
            yield Finding("garbage", name, problem, "the engine's next start removes it", harmless=True)

    def _index(self) -> Iterator[Finding]:
        with self._catalog.lock:
            problem = self._catalog.index_problem()
            if not problem:
                return
            if self._depth.repair:
                self._catalog.write_index()
        remedy = "written again" if self._depth.repair else "wharf system check --repair"
        yield Finding("index", str(self._content.root / "index.json"), problem, remedy, self._depth.repair)


def _parts(record: ImageRecord) -> Iterator[tuple[Digest, int]]:
    yield record.manifest_digest, record.manifest_bytes
    for descriptor in (record.manifest["config"], *record.manifest.get("layers", [])):
        yield Digest(descriptor["digest"]), descriptor.get("size", 0)


def _named(record: ImageRecord) -> str:
    names: list[Reference] = list(record.references)
    return names[0].familiar if names else f"{hex_of(record.id)[:12]}"


def _compared(expected: os.PathLike[str], found: os.PathLike[str]) -> str:
    """Return what differs between two folders; empty for nothing."""
    one = os.open(expected, FOLDER)
    try:
        other = os.open(found, FOLDER)
        try:
            return _shown(differences(one, other))
        finally:
            os.close(other)
    finally:
        os.close(one)


def _shown(wrong: Iterator[str]) -> str:
    first = [text for text, _ in zip(wrong, range(_SHOWN + 1), strict=False)]
    more = " and more" if len(first) > _SHOWN else ""
    return ", ".join(first[:_SHOWN]) + more
