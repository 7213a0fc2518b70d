"""docker save: one archive that is both an OCI image layout and Docker's own form, as Docker makes it since 25.

::

    oci-layout index.json            for OCI tools
    manifest.json repositories       for Docker, podman and skopeo's docker-archive:
    blobs/sha256/<digest>            what both refer to

The same images give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

import msgspec

from wharf.images.catalog import Catalog, blobs_of
from wharf.images.lookup import CONTAINERD_NAME
from wharf.images.platform import Platform
from wharf.images.record import ImageRecord
from wharf.lib.digest import Digest, hex_of
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.oci_image import OCI_INDEX, REF_NAME, Descriptor
from wharf.storage.content import ContentStore
from wharf.storage.tar_entry import BLOCK, Entry, Kind
from wharf.storage.tar_writer import header

_CHUNK: Final = 1024 * 1024
_ZEROS: Final = bytes(BLOCK)
ENDING: Final = bytes(2 * BLOCK)
"""Of an archive."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An image to save, with the references under which it was asked for."""

    record: ImageRecord
    references: tuple[Reference, ...]
    descriptors: tuple[Descriptor, ...] = ()  # its entries in the archive's index
    blobs: frozenset[Digest] = frozenset()
    others: tuple[ImageRecord, ...] = ()  # for more platforms, under the same references


def choose(catalog: Catalog, names: Sequence[str], platforms: Sequence[Platform] = ()) -> list[Chosen]:
    """Return the images of these names, each once; of each those for ``platforms`` alone, when any are given.

    A name without a tag stands for all tags of that repository; an id brings no references.

    Raises:
        NotFound: there is no such image.
    """
    chosen: dict[Digest, Chosen] = {}
    for name in names:
        for record, references in catalog.named(name):
            suiting = [catalog.suiting(name, record, platform) for platform in platforms] or [record]
            first, *others = {one.id: one for one in suiting}.values()
            known = chosen.get(first.id, Chosen(first, ()))
            merged = (*known.references, *(r for r in references if r not in known.references))
            chosen[first.id] = replace(known, references=merged, others=tuple(others))
    complete = (_complete, _alone, _partly)[min(len(platforms), 2)]
    return [complete(catalog, image) for image in chosen.values()]


def _partly(catalog: Catalog, image: Chosen) -> Chosen:
    """Say what there is of several images under one name: its index, of which only these are in the archive."""
    records = (image.record, *image.others)
    if image.references:
        found = catalog.descriptors(image.record, image.references)
    else:
        found = [one for record in records for one in catalog.descriptors(record, ())]
    blobs = {blob for record in records for blob in blobs_of(record)}
    indexes = {index for one in found for index in catalog.reach.indexes(Digest(one["digest"]))}
    return replace(image, descriptors=tuple(found), blobs=frozenset(blobs | indexes))


def _alone(catalog: Catalog, image: Chosen) -> Chosen:
    """Say what there is of one image without the others of its index: the archive's names are its manifest's."""
    [plain] = catalog.descriptors(image.record, ())
    named: list[Descriptor] = [
        {**plain, "annotations": {REF_NAME: str(one), CONTAINERD_NAME: str(one)}} for one in image.references
    ]
    return replace(image, descriptors=tuple(named or [plain]), blobs=frozenset(blobs_of(image.record)))


def _complete(catalog: Catalog, image: Chosen) -> Chosen:
    """Say what there is of an image: what its references name, whole; its manifest alone when asked by id."""
    found = tuple(catalog.descriptors(image.record, image.references))
    blobs = catalog.reach.stored({Digest(one["digest"]) for one in found}) | blobs_of(image.record)
    return replace(image, descriptors=found, blobs=frozenset(blobs))


class Archive:
    """The archive of some images; opening it opens every blob, so that removing an image does not tear it."""

    def __init__(self, content: ContentStore, images: Sequence[Chosen]) -> None:
        """Open all that is needed; DataLoss when a blob is missing."""
        self._images = images
        self._blobs: dict[Digest, tuple[BinaryIO, int]] = {}
        self._stack = ExitStack()
        try:
            for digest in sorted({digest for image in images for digest in image.blobs}):
                file = self._stack.enter_context(content.open(digest))
                self._blobs[digest] = file, content.size(digest)
        except BaseException:
            self._stack.close()
            raise

    def close(self) -> None:
        """Close the blobs; idempotent."""
        self._stack.close()

    def __iter__(self) -> Iterator[bytes]:
        yield folder(b"blobs/") + folder(b"blobs/sha256/")
        for digest, (file, size) in self._blobs.items():
            yield file_header(b"blobs/sha256/" + hex_of(digest).encode(), size)
            yield from iter(lambda file=file: file.read(_CHUNK), b"")  # type: ignore[misc]  # bound now
            yield _ZEROS[: -size % BLOCK]
        yield document(b"index.json", self._index())
        yield document(b"manifest.json", [_docker(image) for image in self._images])
        yield document(b"oci-layout", {"imageLayoutVersion": "1.0.0"})
        if repositories := self._repositories():
            yield document(b"repositories", repositories)
        yield ENDING

    def _index(self) -> object:
        manifests = [_named_by_tag(descriptor) for image in self._images for descriptor in image.descriptors]
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}

    def _repositories(self) -> dict[str, dict[str, str]]:
        named: dict[str, dict[str, str]] = {}
        for image in self._images:
            layers = image.record.manifest.get("layers", [])
            for reference in image.references:
                if reference.tag and layers:
                    tags = named.setdefault(reference.familiar_repository, {})
                    tags[reference.tag] = hex_of(layers[-1]["digest"])
        return named


def _docker(image: Chosen) -> dict[str, object]:
    return {
        "Config": _path(image.record.id),
        "RepoTags": [reference.familiar for reference in image.references if reference.tag] or None,
        "Layers": [_path(layer["digest"]) for layer in image.record.manifest.get("layers", [])],
    }


def _path(digest: str) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def folder(name: bytes) -> bytes:
    """Return a folder's place in an archive."""
    return header(Entry(name, Kind.FOLDER, mode=0o755))


def file_header(name: bytes, size: int) -> bytes:
    """Return what stands before a file's bytes, after which zeros fill the last block."""
    return header(Entry(name, Kind.FILE, size=size))


def _named_by_tag(descriptor: Descriptor) -> Descriptor:
    """Return an entry of the index with the tag alone as its ref.name, as Docker has it beside the full name."""
    notes = descriptor.get("annotations") or {}
    if CONTAINERD_NAME not in notes:
        return descriptor
    rest = {name: text for name, text in notes.items() if name != REF_NAME}
    tag = parse_reference(notes[CONTAINERD_NAME]).tag
    return {**descriptor, "annotations": {**rest, **({REF_NAME: tag} if tag else {})}}


def document(name: bytes, content: object) -> bytes:
    """Return a file of an archive: bytes as they are, anything else as JSON."""
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return file_header(name, len(data)) + data + _ZEROS[: -len(data) % BLOCK]
