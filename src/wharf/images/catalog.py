"""What images there are and what they are called: rows in the database, answered from memory.

Reads come from the event loop and from threads; a change is made under :attr:`Catalog.lock`, to the database first.
The content store's ``index.json`` follows every change, for other tools to read.

An image is one configuration; several manifests may lead to it. A reference names a *target*: a manifest, or an index
of manifests for several platforms of which some are stored; then it is the one that suits this machine best that the
reference stands for, and the others are held by the index.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache

import msgspec

from wharf.errors import DataLoss, InvalidArgument, NotFound
from wharf.images.lookup import Lookup, Named
from wharf.images.names import enter_name, read_names
from wharf.images.origins import Origins, forget_origins
from wharf.images.reach import Reach
from wharf.images.record import (
    ImageRecord,
    parse_config,
    parse_manifest,
    top_chain_id,
)
from wharf.lib.digest import Digest, chain_ids
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.oci_image import Descriptor
from wharf.storage.content import ContentStore
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

log = logging.getLogger("wharf.images")


class Catalog(Lookup):
    """The images of one data root."""

    def __init__(self, database: Database, content: ContentStore, snapshots: Snapshots) -> None:
        super().__init__(Reach(database, content, snapshots))
        self._database = database
        self._content = content
        self._snapshots = snapshots
        self.origins = Origins(database)
        """Where images came from."""
        self.damaged: dict[Digest, str] = {}
        """Recorded manifests, and indexes that names stand for, that could not be read, and why."""
        self._entries: dict[Digest, bytes] = {}  # of images, in index.json

    def load(self, now: str) -> None:
        """Read all records, remove what no record refers to, write index.json; blocking, once, before all else.

        An image whose manifest or configuration is missing or damaged is left out, and keeps its record: see
        :attr:`damaged` and :mod:`wharf.images.check`.

        Args:
            now: the time, RFC 3339: pulls that were given up long before are forgotten.
        """
        with self.lock:
            for digest, image_id, size in self._database.query(
                "SELECT manifest_digest, image_id, size_bytes FROM images ORDER BY created_at, rowid"
            ):
                try:
                    self._read(Digest(str(digest)), Digest(str(image_id)), int(size or 0))
                except (DataLoss, InvalidArgument) as error:  # the others are as good as ever
                    self.damaged[Digest(str(digest))] = str(error)
                    log.warning("image %s cannot be used: %s", image_id, error)
            self._refresh()
            for target in self.targets() - set(self.damaged):
                if self._content.find(target) is None:
                    self.damaged[target] = f"blob {target} is missing or damaged"
            self.reach.forget_old(now)
            self._sweep()
            self.write_index()

    def _read(self, manifest_digest: Digest, image_id: Digest, size_bytes: int) -> None:
        config = parse_config(self._content.read(image_id))
        manifest = self._content.read(manifest_digest)
        self._enter(
            ImageRecord(
                id=image_id,
                manifest_digest=manifest_digest,
                manifest=parse_manifest(manifest),
                manifest_bytes=len(manifest),
                config=config,
                chain_id=top_chain_id(config),
                size_bytes=size_bytes,
            )
        )

    def _enter(self, record: ImageRecord) -> None:
        self._by_manifest[record.manifest_digest] = record
        known = self._by_id.get(record.id)
        if known is None or not all(map(self._content.exists, blobs_of(known))):  # it lacks something
            self._by_id[record.id] = record

    def _refresh(self, changed: Collection[str] | None = None, images: Iterable[Digest] = ()) -> None:
        """Read references again into memory, and see what that makes of images.

        Args:
            changed: the references that may have changed; None: all.
            images: images that came or changed besides.
        """
        before = self._names
        read = read_names(self._database, changed)
        usable = {reference: named for reference, named in read if named.manifest_digest not in self.damaged}
        if changed is not None:
            kept = {name: known for name, known in before.items() if name not in changed}
            usable = dict(sorted({**kept, **usable}.items()))
        self._names = usable  # at once: who reads it without the lock sees all of the old or all of the new
        self._renew(set(self._by_id) if changed is None else {*images, *self._affected(before, changed)})

    def _affected(self, before: Mapping[str, Named], changed: Iterable[str]) -> set[Digest]:
        """Return the images that these references name or named, and those that are held by the indexes they name."""
        named = [table[name] for name in changed for table in (before, self._names) if name in table]
        members = {member for one in named for member in self.reach.members(one.target)}
        return {one.image_id for one in named} | {
            self._by_manifest[member].id for member in members & self._by_manifest.keys()
        }

    def _renew(self, images: AbstractSet[Digest]) -> None:
        """Give records of images their references, and let their entries in index.json be written again."""
        names: dict[Digest, list[tuple[Reference, str]]] = {}
        for reference, named in self._names.items():
            if named.image_id in images:
                names.setdefault(named.image_id, []).append((_parsed(reference), named.updated_at))
        held: set[Digest] | None = None
        for image_id in images & self._by_id.keys():
            self._entries.pop(image_id, None)
            own = names.get(image_id, [])
            if not own and held is None:
                held = {member for target in self.targets() for member in self.reach.members(target)}
            is_held = not own and any(manifest in (held or ()) for manifest in self.manifests_of(image_id))
            self._by_id[image_id] = replace(
                self._by_id[image_id],
                references=tuple(reference for reference, _ in own),
                tagged_at=max((at for _, at in own), default=""),
                held=is_held,
            )

    def _sweep(self) -> None:
        """Remove blobs and layers of images that a killed process had not finished to add or to remove."""
        self._content.sweep(self.reach.wanted())
        self._snapshots.sweep()
        used = self._blobs_in_use()
        for digest in list(self._content.digests()):
            if digest not in used:
                self._content.delete(digest)
        self._remove_layers(set(self._snapshots.sizes()))

    def _blobs_in_use(self) -> set[Digest]:
        used = self.reach.blobs(self.targets())
        for record in self._by_manifest.values():
            used |= blobs_of(record)
        if self.damaged:  # which layers were theirs cannot be told: nothing is garbage before they are mended
            used.update(self._content.digests())
        return used

    def insert(
        self,
        record: ImageRecord,
        references: Iterable[Reference],
        now: str,
        layers: Callable[[sqlite3.Connection], None],
        target: Digest | None = None,
    ) -> ImageRecord:
        """Enter an image whose blobs and layers are in place. Atomic.

        Args:
            record: the image.
            references: what it is called from now on, which takes these names from others.
            now: the time, RFC 3339.
            layers: records its layers, in the same transaction.
            target: the index that the references name, when they name one; it is stored already.
        """
        with self.lock:
            names = list(references)
            left = {self._names[str(one)].target for one in names if str(one) in self._names}
            with self._database.transaction() as db:
                layers(db)
                db.execute(
                    "INSERT INTO images (manifest_digest, image_id, size_bytes, created_at) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (manifest_digest) DO NOTHING",
                    (record.manifest_digest, record.id, record.size_bytes, now),
                )
                for reference in names:
                    enter_name(db, reference, record.manifest_digest, now, target)
                finished = (target or record.manifest_digest, record.manifest_digest)
                db.execute("DELETE FROM unfinished_pulls WHERE digest IN (?, ?)", finished)
            if record.manifest_digest not in self._by_manifest:
                self._enter(record)
            mended = [self.damaged.pop(digest, None) for digest in finished]
            self._changed(None if any(mended) else set(map(str, names)), [record.id])
            if indexes := left - self.targets() - self._by_manifest.keys():
                self._delete_blobs(self.reach.stored(indexes))
            return self._by_id[record.id]

    def rename_to(
        self, manifest_digest: Digest, references: Iterable[Reference], now: str, target: Digest | None
    ) -> ImageRecord:
        """Let ``references`` name a stored manifest, as one of ``target`` when that is an index; atomic.

        Raises:
            NotFound: the image has gone.
        """
        with self.lock:
            record = self._by_manifest.get(manifest_digest)
            if record is None:
                raise NotFound(f"No such image: {manifest_digest}")
            return self.insert(record, references, now, lambda _: None, target)

    def touch(self, references: Iterable[Reference], now: str) -> None:
        """Enter that references were found to be as their registry says; atomic. Of those that have gone, nothing.

        Their time changes, and nothing that other tools read.
        """
        with self.lock:
            names = set(map(str, references)) & self._names.keys()
            with self._database.transaction() as db:
                rows = [(now, name) for name in names]
                db.executemany("UPDATE image_references SET updated_at = ? WHERE reference = ?", rows)
            self._refresh(names)

    def name(self, image_id: Digest, reference: Reference, now: str, like: Reference | None = None) -> None:
        """Give an image one more reference, which another loses when it has it; atomic.

        Args:
            image_id: the image.
            reference: its further name.
            now: the time, RFC 3339.
            like: a reference of it whose target the new one names too.

        Raises:
            NotFound: the image has gone.
        """
        with self.lock:
            record = self._by_id.get(image_id)
            if record is None:
                raise NotFound(f"No such image: {image_id}")
            own = self._names.get(str(like)) if like else None
            if own is None or own.image_id != image_id:
                own = Named(image_id, record.manifest_digest, record.manifest_digest)
            with self._database.transaction() as db:
                enter_name(db, reference, own.manifest_digest, now, own.target)
            self._changed({str(reference)})

    def unname(self, references: Iterable[Reference]) -> None:
        """Take references away; atomic."""
        with self.lock:
            targets, names = self.targets(), set(map(str, references))
            with self._database.transaction() as db:
                db.executemany("DELETE FROM image_references WHERE reference = ?", [(name,) for name in names])
            self._changed(names)
            self._delete_blobs(self.reach.blobs(targets))

    def delete(self, image_id: Digest, *, listed: bool = False) -> tuple[list[Digest], int]:
        """Delete an image, its references and what no other needs; return the chain ids removed and the bytes freed.

        Args:
            image_id: the image; one that has gone is no error.
            listed: also the manifests that an index which stays lists: it has one image less from now on.
        """
        with self.lock:
            manifests = self.manifests_of(image_id)
            if not manifests:
                return [], 0
            names = {name for name, named in self._names.items() if named.image_id == image_id}
            candidates = self.reach.blobs({self._names[name].target for name in names})
            layers: set[str] = set()
            with self._database.transaction() as db:
                for digest in manifests:
                    db.execute("DELETE FROM image_references WHERE manifest_digest = ?", (digest,))
                    db.execute("DELETE FROM images WHERE manifest_digest = ?", (digest,))
                forget_origins(db)
            for digest in manifests:
                record = self._by_manifest.pop(digest)
                candidates |= blobs_of(record)
                layers.update(chain_ids(record.diff_ids))
            del self._by_id[image_id]
            self._entries.pop(image_id, None)
            self._changed(names)
            # Without its manifest nothing leads to an image's configuration and layers any more.
            freed = sum(self._content.delete(digest) for digest in manifests) if listed else 0
            freed += self._delete_blobs(candidates)
            removed, unpacked = self._remove_layers(layers)
            return removed, freed + unpacked

    def collect(self) -> int:
        """Remove all blobs and layers that nothing refers to any more; return the bytes freed, blobs' and layers'."""
        with self.lock:
            freed = self._delete_blobs(set(self._content.digests()))
            return freed + self._remove_layers(set(self._snapshots.sizes()))[1]

    def release(self, *chain_ids: str) -> int:
        """Remove these layers and those below them as far as nothing refers to them; return the bytes freed."""
        with self.lock:
            return self._remove_layers({str(one) for top in chain_ids for one in self._snapshots.chain(top)})[1]

    def garbage(self) -> tuple[set[Digest], set[str]]:
        """Return the blobs and the layers that nothing refers to: what :meth:`collect` would remove."""
        with self.lock:
            layers = set(self._snapshots.sizes())
            return set(self._content.digests()) - self._blobs_in_use(), layers - self._all_layers_in_use()

    def forget_damaged(self, digest: Digest) -> None:
        """Drop the record of an image that cannot be read, or of names that stand for an index that cannot be."""
        with self.lock:
            with self._database.transaction() as db:
                for column in ("manifest_digest", "target_digest"):
                    db.execute(f"DELETE FROM image_references WHERE {column} = ?", (digest,))  # noqa: S608  # two names of ours
                db.execute("DELETE FROM images WHERE manifest_digest = ?", (digest,))
                forget_origins(db)
            self.damaged.pop(digest, None)
            self._changed()

    def stored_layer(self, diff_id: Digest) -> Descriptor | None:
        """Return how an image has a layer stored; None when none has it."""
        with self.lock:
            for record in self._by_manifest.values():
                layers, own = record.manifest.get("layers", []), record.diff_ids
                if diff_id in own and len(own) == len(layers):
                    return layers[own.index(diff_id)]
        return None

    def _delete_blobs(self, candidates: set[Digest]) -> int:
        return sum(self._content.delete(digest) for digest in candidates - self._blobs_in_use())

    def _remove_layers(self, candidates: set[str]) -> tuple[list[Digest], int]:
        """Remove the layers among ``candidates`` that no image has and no container lies on, the upper ones first."""
        if not candidates:
            return [], 0
        removed, freed = [], 0
        for chain_id in self._snapshots.uppermost_first(candidates - self._all_layers_in_use()):
            freed += self._snapshots.remove(chain_id)
            removed.append(chain_id)
        return removed, freed

    def _all_layers_in_use(self) -> set[str]:
        used = self._layers_in_use() | self.reach.layers()
        for record in self._by_id.values():
            used.update(chain_ids(record.diff_ids))
        if self.damaged:
            used.update(self._snapshots.sizes())
        return used

    def _layers_in_use(self) -> set[str]:
        """Return the layers that a container lies on or a build remembers, with all below them."""
        rows = self._database.query(
            "SELECT chain_id FROM containers WHERE chain_id <> ''"
            " UNION SELECT chain_id FROM build_cache WHERE chain_id <> ''"
        )
        return {below for (chain_id,) in rows for below in self._snapshots.chain(str(chain_id))}

    def _changed(self, references: Collection[str] | None = None, images: Iterable[Digest] = ()) -> None:
        self._refresh(references, images)
        self._content.write_index(self._listed())

    def write_index(self) -> None:
        """Write index.json anew."""
        self._entries.clear()
        self._content.write_index(self._listed())

    def index_problem(self) -> str:
        """Return what is wrong with what other tools read, index.json; empty for nothing."""
        with self.lock:
            self._entries.clear()
            return "" if self._content.index_is(self._listed()) else "it is missing, damaged or not of these images"

    def _listed(self) -> list[bytes]:
        """Return the entries of index.json; those of images that have not changed are at hand."""
        for image_id, record in self._by_id.items():
            if image_id not in self._entries and not record.held:
                self._entries[image_id] = b",".join(map(msgspec.json.encode, self.descriptors(record)))
        return [self._entries[image_id] for image_id, record in self._by_id.items() if not record.held]


_parsed = lru_cache(maxsize=100_000)(parse_reference)
"""References are read again with each change, and are always the same."""


def blobs_of(record: ImageRecord) -> set[Digest]:
    """Return the digests of all that an image is stored as."""
    layers = {Digest(layer["digest"]) for layer in record.manifest.get("layers", [])}
    return {record.manifest_digest, record.id, *layers}
