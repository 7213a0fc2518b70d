"""What a name leads to, manifest by manifest: what ``manifests=1`` asks for, and ``image ls --tree`` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wharf.errors import InvalidArgument
from wharf.images.catalog import Catalog
from wharf.images.index import ATTESTED, INDEXES, attests, images_in, is_index, parse_index
from wharf.images.record import ImageRecord, parse_manifest
from wharf.lib.digest import Digest, chain_ids
from wharf.spec.engine_api.image import ImageInspect, ImageManifestSummary, ImageSummary
from wharf.spec.oci_image import Descriptor
from wharf.storage.content import ContentStore

_MAX_DEPTH = 8

Containers = Callable[[str], Sequence[str]]
"""The ids of the containers made from an image, by its id."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is told of manifests: who uses an image and, where that is wanted, where it came from."""

    containers: Containers
    identity: bool = False


class Manifests:
    """The manifests of images as they are at the moment; blocking, for it reads documents."""

    def __init__(self, catalog: Catalog, content: ContentStore, sizes: Mapping[str, int], shown: Shown) -> None:
        self._catalog = catalog
        self._content = content
        self._sizes = sizes  # of layers, by chain id
        self._shown = shown

    def add_to(self, documents: Iterable[ImageSummary | ImageInspect], records: Iterable[ImageRecord]) -> None:
        """Put into each document what its image's first name leads to, and all manifests below that."""
        for document, record in zip(documents, records, strict=True):
            document["Descriptor"] = self.target(record)
            document["Manifests"] = self.of(record)
            if self._shown.identity and (identity := self._catalog.origins.of(record.id)):
                for data in (one["ImageData"] for one in document["Manifests"] if "ImageData" in one):
                    data["Identity"] = identity

    def target(self, record: ImageRecord) -> Descriptor:
        """Return what an image's first name leads to: an index, or its manifest."""
        target = self._catalog.descriptors(record)[0]
        target.pop("annotations", None)  # of the store's own index, where they hold the name
        return target

    def of(self, record: ImageRecord) -> list[ImageManifestSummary]:
        """Return the manifests that an image's first name leads to, those that are not here too."""
        target = self.target(record)
        if target["mediaType"] not in INDEXES:
            return [self._summary(target, kind="image")]
        return [self._summary(one, kind=kind) for one, kind in self._below(Digest(target["digest"]), 0)]

    def _below(self, digest: Digest, depth: int) -> Iterator[tuple[Descriptor, str]]:
        raw = self._content.find(digest)
        if raw is None or depth > _MAX_DEPTH or not is_index(raw):
            return
        index = parse_index(raw)
        images = images_in(index)
        for one in index.get("manifests", []):
            if one.get("mediaType") in INDEXES:
                yield from self._below(Digest(one["digest"]), depth + 1)
            else:
                yield one, "image" if one in images else "attestation" if attests(one) else "unknown"

    def _summary(self, descriptor: Descriptor, *, kind: str) -> ImageManifestSummary:
        digest = Digest(descriptor["digest"])
        leaves = self._leaves(digest)
        stored = [self._content.size(one) for one in (digest, *(leaves or ())) if self._content.exists(one)]
        record = self._catalog.of_manifest(digest) if kind == "image" else None
        chain = chain_ids(record.diff_ids) if record else []
        unpacked = sum(self._sizes.get(layer, 0) for layer in chain)
        summary: ImageManifestSummary = {
            "ID": digest,
            "Descriptor": descriptor,
            "Available": leaves is not None and len(stored) == 1 + len(leaves),
            "Size": {"Content": sum(stored), "Total": sum(stored) + unpacked},
            "Kind": kind,
        }
        if kind == "image":
            summary["ImageData"] = {
                "Platform": descriptor.get("platform") or {},
                "Size": {"Unpacked": unpacked},
                "Containers": list(self._shown.containers(record.id)) if record else [],
            }
        elif kind == "attestation":
            summary["AttestationData"] = {"For": (descriptor.get("annotations") or {}).get(ATTESTED, "")}
        return summary

    def _leaves(self, digest: Digest) -> list[Digest] | None:
        """Return what a manifest is made of, each once; None when it is not here, or is none."""
        raw = self._content.find(digest)
        if raw is None:
            return None
        try:
            manifest = parse_manifest(raw)
        except InvalidArgument:
            return None
        return list(dict.fromkeys(Digest(one["digest"]) for one in (manifest["config"], *manifest["layers"])))
