"""Layers of the store as blobs: as some image has them stored, or packed and compressed anew."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from wharf.errors import DataLoss
from wharf.images.catalog import Catalog
from wharf.lib.digest import Digest, chain_ids
from wharf.spec.oci_image import (
    DOCKER_LAYER,
    DOCKER_LAYER_GZIP,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    Descriptor,
)
from wharf.storage import estargz
from wharf.storage.compression import Compressing, Decompressed, compressor
from wharf.storage.content import ContentStore, Writer
from wharf.storage.copying import packed
from wharf.storage.pack import nothing, pack
from wharf.storage.snapshots import Snapshots
from wharf.storage.tar_reader import Source
from wharf.storage.trees import FOLDER, Node

_PIECE: Final = 1 << 18
_OCI: Final[Mapping[str, str]] = {"": OCI_LAYER, "gzip": OCI_LAYER_GZIP, "zstd": OCI_LAYER_ZSTD}
_TABLE_DIGEST: Final = "containerd.io/snapshot/stargz/toc.digest"
_PLAIN_SIZE: Final = "io.containers.estargz.uncompressed-size"
_DOCKER: Final[Mapping[str, str]] = {"": DOCKER_LAYER, "gzip": DOCKER_LAYER_GZIP, "zstd": f"{DOCKER_LAYER}.zstd"}
_KINDS: Final = {media_type: kind for known in (_OCI, _DOCKER) for kind, media_type in known.items()}


@dataclass(frozen=True, slots=True)
class Compression:
    """How layers are to be stored."""

    kind: str = "gzip"  # gzip, estargz, zstd, or "" for none
    level: int | None = None  # None: a fast one
    force: bool = False  # layers that are stored otherwise too
    oci: bool = True  # media types of OCI's; else Docker's

    @property
    def media_type(self) -> str:
        """A layer's that is stored so."""
        return (_OCI if self.oci else _DOCKER)["gzip" if self.kind == "estargz" else self.kind]

    def suits(self, stored: Descriptor) -> bool:
        """Whether a stored blob may stay as it is: estargz is told by its annotations."""
        kind = (
            "estargz" if _TABLE_DIGEST in stored.get("annotations", {}) else _KINDS.get(stored.get("mediaType", ""))
        )
        return not self.force or kind == self.kind

    def typed(self, stored: Descriptor) -> Descriptor:
        """Return a descriptor with the media type that these documents use."""
        kind = _KINDS.get(stored.get("mediaType", ""))
        if kind is None:
            return stored
        return {**stored, "mediaType": (_OCI if self.oci else _DOCKER)[kind]}


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer's blob."""

    descriptor: Descriptor
    diff_id: Digest  # of its bytes, decompressed: in estargz that is another one than the layer's in the store
    size_bytes: int  # of its files
    path: Path  # of its bytes
    writer: Writer | None = None  # None: it is stored


class Shelf:
    """Blobs for one purpose, each layer's once; used with ``with``, after which those made for it go. All blocks."""

    def __init__(
        self, catalog: Catalog, content: ContentStore, snapshots: Snapshots, compression: Compression | None = None
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._snapshots = snapshots
        self._compression = compression or Compression()
        self._stack = ExitStack()
        self._blobs: dict[Digest, Blob] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def blobs(self, chain_id: str) -> list[Blob]:
        """Return the blobs of a layer and of those below it, the lowest first.

        Raises:
            DataLoss: a layer is not what it was when it was made.
        """
        diff_ids = self._snapshots.diff_ids(chain_id)
        if chain_id:
            self._stack.enter_context(self._catalog.reach.hold([chain_id]))
        return [self._blob(*each) for each in zip(chain_ids(diff_ids), diff_ids, strict=True)]

    def _blob(self, chain_id: Digest, diff_id: Digest) -> Blob:
        if chain_id not in self._blobs:
            size_bytes = self._snapshots.size(chain_id)
            stored = self._stored(diff_id)
            if stored is None:
                with packed_layer(self._snapshots, chain_id) as archive:
                    made = self._made(archive, diff_id, size_bytes)
            elif self._compression.suits(stored):
                self._blobs[chain_id] = Blob(
                    self._compression.typed(stored), diff_id, size_bytes, self._content.path(Digest(stored["digest"]))
                )
                return self._blobs[chain_id]
            else:  # its archive need not be as we would pack it: what is in the blob is compressed anew
                with self._content.open(Digest(stored["digest"])) as archive:
                    made = self._made(archive, diff_id, size_bytes)
            self._blobs[chain_id] = made
        return self._blobs[chain_id]

    def _stored(self, diff_id: Digest) -> Descriptor | None:
        """Return how an image has a layer stored; its blob stays while the shelf does."""
        with self._catalog.lock:
            stored = self._catalog.stored_layer(diff_id)
            if stored is None or not self._content.exists(Digest(stored["digest"])):
                return None
            self._stack.enter_context(self._catalog.reach.hold([stored["digest"]]))
        kind, size, digest = stored.get("mediaType", ""), stored.get("size", 0), Digest(stored["digest"])
        about: Descriptor = {"mediaType": kind, "digest": digest, "size": size}
        if self._compression.kind == "estargz" and (table := estargz.table_digest(self._content.path(digest))):
            about["annotations"] = {_TABLE_DIGEST: table}
        return about

    def _made(self, archive: Source, diff_id: Digest, size_bytes: int) -> Blob:
        """Return a layer's blob, made of its archive."""
        about: Descriptor = {"mediaType": self._compression.media_type}
        plain, blob_diff_id = Decompressed(archive), diff_id
        writer = self._stack.enter_context(self._content.writer())
        if self._compression.kind == "estargz":
            written = estargz.write(plain, writer, self._compression.level)
            about["annotations"] = {_TABLE_DIGEST: written.table, _PLAIN_SIZE: str(written.size_bytes)}
            blob_diff_id = written.diff_id
        else:
            self._compress(plain, writer)
        writer.finish()
        if plain.digest != diff_id:
            raise DataLoss(f"the layer with the diff id {diff_id} is not what it was when it was made")
        about |= {"digest": writer.digest, "size": writer.size}
        return Blob(about, blob_diff_id, size_bytes, writer.path, writer)

    def _compress(self, plain: Source, writer: Writer) -> None:
        how = self._compression
        compressing = Compressing(plain, writer, compressor(how.kind, how.level))
        while compressing.read(_PIECE):
            pass
        compressing.finish()


@contextmanager
def packed_layer(snapshots: Snapshots, chain_id: Digest) -> Iterator[Source]:
    """Give the archive of one layer, packed from its files: the same files, the same bytes."""
    fd = os.open(snapshots.lower_dirs(chain_id)[0], FOLDER)
    try:
        with packed(fd, overlay=True) as archive:
            yield archive
    finally:
        os.close(fd)


def diff_id_of(folder: Path, leave_out: Callable[[Node], bool] = nothing) -> Digest:
    """Return the digest of the archive that a layer's folder is packed into, without what is to be left out."""
    sink = _Hash()
    fd = os.open(folder, FOLDER)
    try:
        pack(fd, sink, overlay=True, leave_out=leave_out)
    finally:
        os.close(fd)
    return sink.digest


class _Hash:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)

    @property
    def digest(self) -> Digest:
        return Digest(f"sha256:{self._hash.hexdigest()}")
