"""An image on its way in: layers unpacked and hashed in one pass, and nothing of it named before all of it is whole.

::

    source ─▶ stored bytes ─▶ blob (temporary)      digest
                  └─▶ plain bytes ─▶ layer (temporary)   diff id
    commit: blobs get their names, then layers, then one transaction; a crash before it leaves what a start sweeps

Made for every way in: pull, load, import, commit, bootstrap and build. Layers may be the store's own already.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import msgspec

from wharf.errors import DataLoss, InvalidArgument
from wharf.images.arrival import Arriving, blame
from wharf.images.catalog import Catalog, blobs_of
from wharf.images.record import ImageRecord, diff_ids_of, parse_config, parse_manifest, top_chain_id
from wharf.lib.digest import Digest, chain_ids, digest_of
from wharf.lib.reference import Reference
from wharf.spec.oci_image import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Manifest,
)
from wharf.storage.compression import Compressed, Compressing, Decompressed, compression_of
from wharf.storage.content import Blob, ContentStore, Writer
from wharf.storage.copying import packed
from wharf.storage.drafts import StagedLayer
from wharf.storage.pack import nothing
from wharf.storage.snapshots import Snapshots
from wharf.storage.tar_reader import Source
from wharf.storage.trees import FOLDER, Node
from wharf.storage.unpacking.archives import keep_archive
from wharf.storage.unpacking.unpacked import UnpackedLayer, unpack_layer
from wharf.storage.unpacking.workers import LEAST_BYTES, Workers

_MEDIA_TYPES: Final = {"": OCI_LAYER, "gzip": OCI_LAYER_GZIP, "zstd": OCI_LAYER_ZSTD}

_PIECE: Final = 1024 * 1024

Archive: TypeAlias = Source | Writer | Blob
"""A layer's stored bytes: a stream, or a file that may still be written."""


@dataclass(slots=True)
class Layer:
    """A layer that is whole: its blob and its folder, each on its way in or in the store already."""

    descriptor: Descriptor  # its entry in a manifest
    diff_id: Digest
    size_bytes: int  # of its files
    writer: Writer | None = None  # None: the blob is stored
    folder: StagedLayer | None = None  # None: the layer is unpacked, under its chain id


class Intake:
    """One image, or several; used with ``with``, which removes what was not committed. Everything blocks."""

    def __init__(
        self, catalog: Catalog, content: ContentStore, snapshots: Snapshots, workers: Workers | None = None
    ) -> None:
        self._catalog = catalog
        self._workers = workers or Workers()
        self._content = content
        self._snapshots = snapshots
        self._stack = ExitStack()
        self._stack.enter_context(self._workers.expecting())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was not committed; idempotent."""
        self._stack.close()

    def writer(self) -> Writer:
        """Start a blob that goes with the intake unless it is committed."""
        return self._stack.enter_context(self._content.writer())

    def document(self, data: bytes) -> Writer:
        """Start a small blob, and write all of it."""
        writer = self.writer()
        writer.write(data)
        writer.finish()
        return writer

    def layer(self, source: Source) -> Layer:
        """Read one layer: its archive, plain or compressed in any way.

        Raises:
            InvalidArgument: the archive is corrupt, or an entry of it is refused.
        """
        writer = self.writer()
        head = Compressed(source, None)
        begun: Source = head
        if compression_of(head) not in _MEDIA_TYPES:
            begun = Decompressed(begun)  # images cannot have it so: store what is in it
        layer = self._take(Compressed(begun, writer), writer)
        writer.finish()
        return layer

    def layer_of(self, writer: Writer) -> Layer:
        """Read one layer from a blob, which becomes the layer's; raises as :meth:`layer`.

        The blob may still be written, by another thread: it is followed.
        """
        follows = writer.grown(LEAST_BYTES) >= LEAST_BYTES
        with writer.path.open("rb", buffering=0) as file:
            if compression_of(Compressed(file, None)) not in _MEDIA_TYPES:
                _wait_for_all(writer)
                file.seek(0)
                return self.layer(file)
            if follows:
                return self._take(writer, writer)
            file.seek(0)
            return self._take(file, writer)

    def layer_of_blob(self, descriptor: Descriptor) -> Layer:
        """Unpack a stored blob, which is verified already; raises as :meth:`layer`."""
        blob = self._content.blob(Digest(descriptor["digest"]))
        if blob.size >= LEAST_BYTES:
            return self._take(blob, None, descriptor)
        with self._content.open(blob.digest) as stored:
            return self._take(stored, None, descriptor)

    def receive(self, rest: Source, descriptor: Descriptor) -> Layer:
        """Read one layer as it comes from a registry: stored, verified and unpacked in one pass.

        Args:
            rest: what comes after the bytes that an earlier attempt has left. What has come is kept when it breaks
                off, and forgotten when it proves wrong.
            descriptor: what was asked for; its digest is noted (:meth:`Unsettled.expect`).

        Raises:
            DataLoss: something else came.
            InvalidArgument: it is what was asked for, and the archive is corrupt or refused.
        """
        digest, size = Digest(descriptor["digest"]), descriptor.get("size", 0)
        writer = self._content.resume(digest)
        arriving = Arriving(writer, rest)
        try:
            if size >= LEAST_BYTES:
                layer = self._while_it_comes(arriving, writer, descriptor)
            else:
                layer = self._take(arriving, None, descriptor)
            arriving.verify(digest, size)
            writer.finish()
            self._content.commit([writer])
        except InvalidArgument as error:
            problem = blame(arriving, digest, size, error)
            self._content.discard(digest)
            raise problem from error
        except DataLoss:
            self._content.discard(digest)
            raise
        finally:
            writer.keep()
        return layer

    def _while_it_comes(self, arriving: Arriving, writer: Writer, descriptor: Descriptor) -> Layer:
        """Read a layer from its file while that is written: neither waits for the other."""
        with ThreadPoolExecutor(1, "wharf-layer") as pool:
            taking = pool.submit(self._take, writer, None, descriptor)
            try:
                while not taking.done() and arriving.read(_PIECE):
                    pass
                if not taking.done():  # it is whole; else the rest of what is no layer is still to be verified
                    writer.finish()
            except BaseException:
                writer.keep()  # whoever follows it waits for more
                raise
            return taking.result()

    def stored(self, descriptor: Descriptor, diff_id: Digest, chain_id: Digest) -> Layer:
        """Return a layer that is in the store, unpacked on the same layers."""
        return Layer(descriptor, diff_id, self._snapshots.size(chain_id))

    def layer_of_folder(self, folder_fd: int, leave_out: Callable[[Node], bool] = nothing) -> Layer:
        """Make a layer of what a container changed: the upper folder of its overlay. It is stored as gzip.

        Args:
            folder_fd: the folder.
            leave_out: whether something in it is none of the container's doing.

        Raises:
            OSError: a file could not be read, or the disk is full.
        """
        writer = self.writer()
        with packed(folder_fd, overlay=True, leave_out=leave_out) as archive:
            compressing = Compressing(archive, writer)
            layer = self._take(compressing, writer)
            compressing.finish()
        writer.finish()
        layer.descriptor = _descriptor(OCI_LAYER_GZIP, writer)
        return layer

    def layers_of(self, record: ImageRecord) -> list[Layer]:
        """Return the layers of a stored image, to put others on; they stay while the intake does."""
        with self._catalog.lock:
            descriptors = record.manifest.get("layers", [])
            chain = chain_ids(record.diff_ids)
            self._stack.enter_context(
                self._catalog.reach.hold([*(d["digest"] for d in descriptors), *map(str, chain[-1:])])
            )
            sizes = self._snapshots.sizes()
            if len(descriptors) != len(chain) or not all(chain_id in sizes for chain_id in chain):
                raise DataLoss(f"image {record.id} has not all of its layers")
            return [
                Layer(descriptor, diff_id, sizes[chain_id])
                for descriptor, diff_id, chain_id in zip(descriptors, record.diff_ids, chain, strict=True)
            ]

    def _take(self, stored: Archive, writer: Writer | None, descriptor: Descriptor | None = None) -> Layer:
        folder = self._stack.enter_context(self._snapshots.stage())
        if self._snapshots.roots.takes_archives:
            unpacked = keep_archive(self._snapshots.roots, folder.root, stored)
        else:
            unpacked = self._unpack(stored, folder)
        if descriptor is None:
            assert writer is not None, "a layer without a descriptor has a blob of its own"
            descriptor = _descriptor(_MEDIA_TYPES[unpacked.compression], writer)
        return Layer(descriptor, unpacked.diff_id, unpacked.size_bytes, writer, folder)

    def _unpack(self, stored: Archive, folder: StagedLayer) -> UnpackedLayer:
        fd = os.open(folder.path, FOLDER)
        try:
            if isinstance(stored, Writer | Blob):
                return self._workers.follow(stored, fd)
            return unpack_layer(stored, fd)
        finally:
            os.close(fd)

    def check(self, config: bytes, layers: Sequence[Layer], manifest: bytes | None = None) -> ImageRecord:
        """Return the image that these make, without making it.

        Raises:
            InvalidArgument: configuration or manifest are malformed, or do not fit the layers.
        """
        parsed = parse_config(config)
        if diff_ids_of(parsed) != [layer.diff_id for layer in layers]:
            raise InvalidArgument("invalid image: its configuration does not list the layers it comes with")
        raw = manifest or manifest_for(config, layers)
        document = parse_manifest(raw)
        if document["config"]["digest"] != digest_of(config) or not _fits(document, layers):
            raise InvalidArgument("invalid image: its manifest does not list what it comes with")
        return ImageRecord(
            id=digest_of(config),
            manifest_digest=digest_of(raw),
            manifest=document,
            manifest_bytes=len(raw),
            config=parsed,
            chain_id=top_chain_id(parsed),
            size_bytes=sum(layer.size_bytes for layer in layers),
        )

    def commit(
        self,
        config: bytes,
        layers: Sequence[Layer],
        references: Iterable[Reference],
        now: str,
        *,
        manifest: bytes | None = None,
        target: Digest | None = None,
        besides: Iterable[Writer] = (),
    ) -> ImageRecord:
        """Make the image, visible at once; it is brought to the disk behind that.

        Args:
            config: its configuration as stored; its diff ids must be the layers'.
            layers: its layers, the lowest first.
            references: what it is called from now on.
            now: the time, RFC 3339.
            manifest: its manifest as stored; None: one is made.
            target: the index that the references name, when it is one for several platforms; it is stored
                already, or one of ``besides``.
            besides: further blobs that the index leads to.

        Raises:
            InvalidArgument: configuration or manifest are malformed, or do not fit the layers.
        """
        raw, more = manifest or manifest_for(config, layers), list(besides)
        record = self.check(config, layers, raw)
        with self._catalog.lock:
            known = self._catalog.get(record.id)
            # A manifest of ours says nothing that the image's own does not. And what is here already with all that it
            # leads to needs nothing written: a build whose steps were all known makes the image that it made before.
            brought = bool(more) or any(layer.writer or layer.folder for layer in layers)
            same = known and known.manifest_digest == record.manifest_digest and not brought
            if known and (manifest is None or same) and self._is_whole(known):
                return self._catalog.insert(known, references, now, lambda _: None, target)
            with ExitStack() as documents:
                own = [documents.enter_context(self._content.document(data)) for data in (config, raw)]
                record_layers = self.settle(
                    record.diff_ids, layers, [*more, *(one.writer for one in layers if one.writer), *own]
                )
            return self._catalog.insert(record, references, now, record_layers, target)

    def _is_whole(self, record: ImageRecord) -> bool:
        stored = all(map(self._content.exists, blobs_of(record)))
        return stored and all(map(self._snapshots.exists, chain_ids(record.diff_ids)))

    def settle(self, diff_ids: list[Digest], layers: Sequence[Layer], blobs: Sequence[Writer] = ()) -> _Records:
        """Give blobs, then layers' folders, the lowest first, their names; return what records the layers."""
        chain = chain_ids(diff_ids)
        folders = {chain_id: layer.folder for chain_id, layer in zip(chain, layers, strict=True) if layer.folder}
        self.name(blobs)
        self._snapshots.adopt_all(folders)
        return _Records(self._snapshots, chain, layers)

    def name(self, blobs: Sequence[Writer]) -> None:
        """Give blobs their names: from now on they are found."""
        for writer in blobs:
            writer.finish()
        new = [writer.digest for writer in blobs if not self._content.exists(writer.digest)]
        self._snapshots.unsettled.note_blobs(new)
        self._content.commit(blobs)


@dataclass(frozen=True, slots=True)
class _Records:
    """Enters layers into the database, inside the caller's transaction."""

    snapshots: Snapshots
    chain: Sequence[Digest]
    layers: Sequence[Layer]

    def __call__(self, db: sqlite3.Connection) -> None:
        parent: Digest | None = None
        for chain_id, layer in zip(self.chain, self.layers, strict=True):
            if layer.folder is not None:
                self.snapshots.record(db, chain_id, parent=parent, diff_id=layer.diff_id, size_bytes=layer.size_bytes)
            parent = chain_id


def _wait_for_all(writer: Writer) -> None:
    at = -1
    while (there := writer.grown(at)) > at:
        at = there


def _descriptor(media_type: str, writer: Writer) -> Descriptor:
    return {"mediaType": media_type, "digest": writer.digest, "size": writer.size}


def _fits(manifest: Manifest, layers: Sequence[Layer]) -> bool:
    return [d["digest"] for d in manifest["layers"]] == [layer.descriptor["digest"] for layer in layers]


def manifest_for(config: bytes, layers: Iterable[Layer]) -> bytes:
    """Return a manifest for a configuration and layers; the same ones give the same bytes."""
    manifest: Manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [layer.descriptor for layer in layers],
    }
    return msgspec.json.encode(manifest)


def encode_config(config: ImageConfig) -> bytes:
    """Return a configuration as it is stored."""
    return msgspec.json.encode(config)
