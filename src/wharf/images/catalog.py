"""What images there are and what they are called: rows in the database, answered from memory.

Reads come from the event loop and from threads; a change is made under :attr:`Catalog.lock`, to the database first.
The content store's ``index.json`` follows every change, for other tools to read.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from wharf.errors import InvalidArgument, NotFound
from wharf.images.record import ImageRecord, host_architecture, parse_config, parse_manifest, top_chain_id
from wharf.lib.digest import Digest, chain_ids, hex_of, is_digest
from wharf.lib.reference import Reference, id_prefix, parse_reference
from wharf.spec.oci_image import OCI_MANIFEST, REF_NAME, Descriptor
from wharf.storage.content import ContentStore
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

CONTAINERD_NAME = "io.containerd.image.name"


class Catalog:
    """The images of one data root."""

    def __init__(self, database: Database, content: ContentStore, snapshots: Snapshots) -> None:
        self._database = database
        self._content = content
        self._snapshots = snapshots
        self.lock = threading.RLock()
        """Held while an image enters or leaves; taken before the database's own."""
        self._by_id: dict[Digest, ImageRecord] = {}
        self._by_reference: dict[str, Digest] = {}

    def load(self) -> None:
        """Read all records, remove what no record refers to, write index.json; blocking, once, before all else.

        Raises:
            DataLoss: a recorded image's manifest or configuration is missing.
        """
        with self.lock:
            for digest, image_id, size in self._database.query(
                "SELECT manifest_digest, image_id, size_bytes FROM images ORDER BY created_at"
            ):
                self._read(Digest(str(digest)), Digest(str(image_id)), int(size or 0))
            self._refresh_references()
            self._sweep()
            self._write_index()

    def _read(self, manifest_digest: Digest, image_id: Digest, size_bytes: int) -> None:
        config = parse_config(self._content.read(image_id))
        manifest = self._content.read(manifest_digest)
        self._by_id[image_id] = ImageRecord(
            id=image_id,
            manifest_digest=manifest_digest,
            manifest=parse_manifest(manifest),
            manifest_bytes=len(manifest),
            config=config,
            chain_id=top_chain_id(config),
            size_bytes=size_bytes,
        )

    def _refresh_references(self) -> None:
        """Read all references again into memory."""
        rows = self._database.query(
            "SELECT r.reference, i.image_id, r.updated_at FROM image_references r"
            " JOIN images i USING (manifest_digest) ORDER BY r.reference"
        )
        names: dict[str, list[tuple[Reference, str]]] = {}
        for reference, image_id, updated_at in rows:
            names.setdefault(str(image_id), []).append((parse_reference(str(reference)), str(updated_at)))
        for image_id, record in list(self._by_id.items()):
            own = names.get(image_id, [])
            self._by_id[image_id] = replace(
                record,
                references=tuple(reference for reference, _ in own),
                tagged_at=max((at for reference, at in own), default=""),
            )
        self._by_reference = {str(reference): Digest(str(image_id)) for reference, image_id, _ in rows}

    def _sweep(self) -> None:
        """Remove blobs and layers of images that a killed process had not finished to add or to remove."""
        self._content.sweep()
        self._snapshots.sweep()
        used = self._blobs_in_use()
        for digest in list(self._content.digests()):
            if digest not in used:
                self._content.delete(digest)
        self._remove_layers(set(self._snapshots.sizes()))

    def _blobs_in_use(self) -> set[Digest]:
        used: set[Digest] = set()
        for record in self._by_id.values():
            used |= blobs_of(record)
        return used

    def all(self) -> list[ImageRecord]:
        """Return every image."""
        with self.lock:
            return list(self._by_id.values())

    def get(self, image_id: str) -> ImageRecord | None:
        """Return the image of that full id."""
        return self._by_id.get(Digest(image_id))

    def resolve(self, name: str) -> ImageRecord:
        """Return the image that ``name`` names: a reference, an id, the unambiguous start of one, or a digest.

        Raises:
            InvalidArgument: ``name`` is not spelt as any of these.
            NotFound: there is no such image, in Docker's words.
        """
        with self.lock:
            if is_digest(name):
                found = self._by_id.get(Digest(name)) or self._of_manifest(name)
                if found is None:
                    raise NotFound(f"No such image: {name}")
                return found
            if (digits := id_prefix(name)) and len(digits) == 64:
                return self.resolve(f"sha256:{digits}")
            reference = None if name.startswith("sha256:") else parse_reference(name).with_default_tag()
            found = (reference and self._named(reference)) or self._of_prefix(digits)
            if found is None:
                raise NotFound(f"No such image: {reference.familiar if reference else name}")
            return found

    def named(self, name: str) -> list[tuple[ImageRecord, tuple[Reference, ...]]]:
        """Return the images that ``name`` stands for, with the references it means.

        A repository alone means all its tags, an id or a digest no reference at all. Raises as :meth:`resolve`.
        """
        with self.lock:
            if not is_digest(name) and not name.startswith("sha256:") and len(id_prefix(name) or "") < 64:
                asked = parse_reference(name)
                found = [
                    (self._by_id[image_id], reference)
                    for image_id, reference in self._references()
                    if reference.repository == asked.repository
                    and (reference == asked or (asked.tag is asked.digest is None and reference.tag))
                ]
                if found:
                    return [(record, (reference,)) for record, reference in found]
            return [(self.resolve(name), ())]

    def _references(self) -> list[tuple[Digest, Reference]]:
        return [(record.id, reference) for record in self._by_id.values() for reference in record.references]

    def _named(self, reference: Reference) -> ImageRecord | None:
        image_id = self._by_reference.get(str(reference))
        if image_id is None and reference.digest:
            found = self._of_manifest(reference.digest)
            known = found and any(own.repository == reference.repository for own in found.references)
            return found if known else None
        return self._by_id.get(image_id) if image_id else None

    def _of_manifest(self, digest: str) -> ImageRecord | None:
        return next((record for record in self._by_id.values() if record.manifest_digest == digest), None)

    def _of_prefix(self, digits: str | None) -> ImageRecord | None:
        matches = [r for i, r in self._by_id.items() if digits and hex_of(i).startswith(digits)]
        return matches[0] if len(matches) == 1 else None

    def insert(
        self,
        record: ImageRecord,
        references: Iterable[Reference],
        now: str,
        layers: Callable[[sqlite3.Connection], None],
    ) -> ImageRecord:
        """Enter an image whose blobs and layers are in place; one that exists keeps its manifest. Atomic.

        Args:
            record: the image.
            references: what it is called from now on, which takes these names from others.
            now: the time, RFC 3339.
            layers: records its layers, in the same transaction.
        """
        with self.lock:
            record = self._by_id.get(record.id, record)
            with self._database.transaction() as db:
                layers(db)
                db.execute(
                    "INSERT INTO images (manifest_digest, image_id, size_bytes, created_at) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (manifest_digest) DO NOTHING",
                    (record.manifest_digest, record.id, record.size_bytes, now),
                )
                for reference in references:
                    _name(db, reference, record.manifest_digest, now)
            self._by_id[record.id] = record
            self._changed()
            return self._by_id[record.id]

    def name(self, image_id: Digest, reference: Reference, now: str) -> None:
        """Give an image one more reference, which another loses when it has it; atomic.

        Raises:
            NotFound: the image has gone.
        """
        with self.lock:
            record = self._by_id.get(image_id)
            if record is None:
                raise NotFound(f"No such image: {image_id}")
            with self._database.transaction() as db:
                _name(db, reference, record.manifest_digest, now)
            self._changed()

    def unname(self, references: Iterable[Reference]) -> None:
        """Take references away; atomic."""
        with self.lock:
            with self._database.transaction() as db:
                for reference in references:
                    db.execute("DELETE FROM image_references WHERE reference = ?", (str(reference),))
            self._changed()

    def delete(self, image_id: Digest) -> tuple[list[Digest], int]:
        """Delete an image, its references and what no other needs; return the chain ids removed and the bytes freed.

        Args:
            image_id: the image; one that has gone is no error.
        """
        with self.lock:
            record = self._by_id.get(image_id)
            if record is None:
                return [], 0
            with self._database.transaction() as db:
                db.execute("DELETE FROM image_references WHERE manifest_digest = ?", (record.manifest_digest,))
                db.execute("DELETE FROM images WHERE manifest_digest = ?", (record.manifest_digest,))
            del self._by_id[image_id]
            self._changed()
            for digest in blobs_of(record) - self._blobs_in_use():
                self._content.delete(digest)
            return self._remove_layers(set(chain_ids(record.diff_ids)))

    def _remove_layers(self, candidates: set[str]) -> tuple[list[Digest], int]:
        """Remove the layers among ``candidates`` that no image has and no container lies on, the upper ones first."""
        used = self._layers_of_containers()
        for record in self._by_id.values():
            used.update(chain_ids(record.diff_ids))
        removed, freed = [], 0
        for chain_id in self._snapshots.uppermost_first(candidates - used):
            freed += self._snapshots.remove(chain_id)
            removed.append(chain_id)
        return removed, freed

    def _layers_of_containers(self) -> set[str]:
        """Return the layers that a container lies on, with all below them."""
        rows = self._database.query("SELECT DISTINCT chain_id FROM containers WHERE chain_id <> ''")
        return {below for (chain_id,) in rows for below in self._snapshots.chain(str(chain_id))}

    def _changed(self) -> None:
        self._refresh_references()
        self._write_index()

    def _write_index(self) -> None:
        self._content.write_index([d for record in self._by_id.values() for d in descriptors(record)])


def blobs_of(record: ImageRecord) -> set[Digest]:
    """Return the digests of all that an image is stored as."""
    layers = {Digest(layer["digest"]) for layer in record.manifest.get("layers", [])}
    return {record.manifest_digest, record.id, *layers}


def descriptors(record: ImageRecord) -> list[Descriptor]:
    """Return an image's entries in an index, one a reference (image-spec annotations.md, "ref.name")."""
    plain: Descriptor = {
        "mediaType": record.manifest.get("mediaType", OCI_MANIFEST),
        "digest": record.manifest_digest,
        "size": record.manifest_bytes,
        "platform": {"architecture": record.config.get("architecture", host_architecture()), "os": "linux"},
    }
    if not record.references:
        return [plain]
    return [
        {**plain, "annotations": {REF_NAME: str(reference), CONTAINERD_NAME: str(reference)}}
        for reference in record.references
    ]


def _name(db: sqlite3.Connection, reference: Reference, manifest_digest: str, now: str) -> None:
    if not (reference.tag or reference.digest):
        raise InvalidArgument("invalid reference format")
    db.execute(
        "INSERT INTO image_references (reference, manifest_digest, updated_at) VALUES (?, ?, ?)"
        " ON CONFLICT (reference) DO UPDATE SET manifest_digest = excluded.manifest_digest,"
        " updated_at = excluded.updated_at",
        (str(reference), manifest_digest, now),
    )
