"""Finding images by what people call them: a catalog's reading half, answered from memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wharf.errors import InvalidArgument, NotFound
from wharf.images.platform import Platform, acceptable
from wharf.images.reach import Reach
from wharf.images.record import ImageRecord, platform_of_config
from wharf.lib.digest import Digest, hex_of, is_digest
from wharf.lib.reference import Reference, id_prefix, parse_reference
from wharf.spec.oci_image import OCI_MANIFEST, REF_NAME, Descriptor
from wharf.spec.oci_image import Platform as PlatformDocument

CONTAINERD_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class Named:
    """What a reference stands for."""

    image_id: Digest
    manifest_digest: Digest
    target: Digest  # the manifest, or the index that lists it
    updated_at: str = ""  # RFC 3339


class Lookup:
    """The images as they are at the moment; its subclass keeps the three tables."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        """What is kept besides images: see :mod:`wharf.images.reach`."""
        self.lock = threading.RLock()
        """Held while an image enters or leaves; taken before the database's own."""
        self._by_manifest: dict[Digest, ImageRecord] = {}
        self._by_id: dict[Digest, ImageRecord] = {}
        self._names: dict[str, Named] = {}

    def all(self) -> list[ImageRecord]:
        """Return every image."""
        with self.lock:
            return list(self._by_id.values())

    def manifests(self) -> list[ImageRecord]:
        """Return an image for each manifest: several may lead to one."""
        with self.lock:
            references = {record.id: record.references for record in self._by_id.values()}
            return [replace(record, references=references[record.id]) for record in self._by_manifest.values()]

    def names(self) -> dict[str, tuple[Digest, Digest]]:
        """Return the target and the manifest of each reference."""
        return {reference: (named.target, named.manifest_digest) for reference, named in self._names.items()}

    def get(self, image_id: str) -> ImageRecord | None:
        """Return the image of that full id."""
        return self._by_id.get(Digest(image_id))

    def of_manifest(self, digest: str) -> ImageRecord | None:
        """Return the image of that manifest, or the one that an index stands for."""
        with self.lock:
            return self._of_manifest(digest)

    def named_target(self, reference: Reference) -> Named | None:
        """Return what a full reference stands for."""
        return self._names.get(str(reference))

    def resolve(self, name: str, platform: Platform | None = None) -> ImageRecord:
        """Return the image that ``name`` names: a reference, an id, the unambiguous start of one, or a digest.

        Args:
            name: what the user typed.
            platform: which of an image for several platforms; None: what the reference stands for.

        Raises:
            InvalidArgument: ``name`` is not spelt as any of these.
            NotFound: there is no such image, or not for that platform, in Docker's words.
        """
        with self.lock:
            record = self._resolve(name)
            return record if platform is None else self.suiting(name, record, platform)

    def _resolve(self, name: str) -> ImageRecord:
        if is_digest(name):
            found = self._by_id.get(Digest(name)) or self._of_manifest(name)
            if found is None:
                raise NotFound(f"No such image: {name}")
            return found
        if (digits := id_prefix(name)) and len(digits) == 64:
            return self._resolve(f"sha256:{digits}")
        reference = None if name.startswith("sha256:") else parse_reference(name).with_default_tag()
        found = (reference and self._named(reference)) or self._of_prefix(digits)
        if found is None:
            raise NotFound(f"No such image: {reference.familiar if reference else name}")
        return found

    def suiting(self, name: str, record: ImageRecord, platform: Platform) -> ImageRecord:
        """Return which of the images that share an index with ``record`` is for a platform; else NotFound."""
        stored = [record, *self.siblings(record)]
        for suitable in acceptable(platform):
            for candidate in stored:
                if platform_of_config(candidate.config) == suitable:
                    return candidate
        raise NotFound(
            f"image with reference {name} was found but does not provide the specified platform ({platform})"
        )

    def siblings(self, record: ImageRecord) -> list[ImageRecord]:
        """Return the stored images for other platforms that share an index with this one."""
        found: dict[Digest, ImageRecord] = {}
        for named in list(self._names.values()):
            if named.image_id == record.id:
                for digest in self.reach.members(named.target):
                    member = self._by_manifest.get(digest)
                    if member and member.id != record.id:
                        found[member.id] = self._by_id[member.id]
        return list(found.values())

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

    def tags_of(self, repository: Reference) -> list[Reference]:
        """Return all tags of a repository; NotFound, in Docker's words, when there is none."""
        with self.lock:
            known = self._references()
        found = [r for _, r in known if r.repository == repository.repository and r.tag]
        if not found:
            raise NotFound(f"An image does not exist locally with the tag: {repository.familiar_repository}")
        return sorted(found, key=str)

    def repositories_with(self, digest: Digest, besides: Reference) -> list[str]:
        """Return the other repositories at the registry of ``besides`` whose images have this blob."""
        found = dict.fromkeys(
            reference.path
            for record in self.all()
            for reference in record.references
            if reference.domain == besides.domain and reference.digest
            if any(layer["digest"] == digest for layer in record.manifest.get("layers", []))
        )
        return [path for path in found if path != besides.path]

    def _references(self) -> list[tuple[Digest, Reference]]:
        return [(record.id, reference) for record in self._by_id.values() for reference in record.references]

    def _named(self, reference: Reference) -> ImageRecord | None:
        known = self._names.get(str(reference))
        if known is not None:
            return self._by_id.get(known.image_id)
        if not reference.digest:
            return None
        found = self._of_manifest(reference.digest)
        ours = found and any(own.repository == reference.repository for own in found.references)
        return found if ours else None

    def _of_manifest(self, digest: str) -> ImageRecord | None:
        if (record := self._by_manifest.get(Digest(digest))) is not None:
            return self._by_id[record.id]
        return next((self._by_id[n.image_id] for n in self._names.values() if n.target == digest), None)

    def _of_prefix(self, digits: str | None) -> ImageRecord | None:
        matches = [r for i, r in self._by_id.items() if digits and hex_of(i).startswith(digits)]
        return matches[0] if len(matches) == 1 else None

    def targets(self) -> set[Digest]:
        """Return what references name: manifests and indexes."""
        return {named.target for named in self._names.values()}

    def manifests_of(self, image_id: str) -> list[Digest]:
        """Return the manifests that lead to an image, the first stored first."""
        return [digest for digest, record in self._by_manifest.items() if record.id == image_id]

    def descriptors(self, record: ImageRecord, references: Sequence[Reference] | None = None) -> list[Descriptor]:
        """Return an image's entries in an index, one a reference (image-spec annotations.md, "ref.name")."""
        found: list[Descriptor] = []
        for reference in record.references if references is None else references:
            named = self._names.get(str(reference))
            plain = self._descriptor(record, named)
            note = {REF_NAME: str(reference), CONTAINERD_NAME: str(reference)}
            found.append({**plain, "annotations": note})
        return found or [self._descriptor(record, None)]

    def _descriptor(self, record: ImageRecord, named: Named | None) -> Descriptor:
        if named and named.target != named.manifest_digest:
            return self.reach.descriptor(named.target)
        return manifest_descriptor(self._by_manifest.get(named.manifest_digest, record) if named else record)


def manifest_descriptor(record: ImageRecord) -> Descriptor:
    """Return the descriptor of an image's manifest."""
    config, own = record.config, platform_of_config(record.config)
    platform: PlatformDocument = {"architecture": own.architecture, "os": own.os}
    if own.variant:
        platform["variant"] = own.variant
    if version := config.get("os.version"):
        platform["os.version"] = version
    if features := config.get("os.features"):
        platform["os.features"] = features
    return {
        "mediaType": record.manifest.get("mediaType", OCI_MANIFEST),
        "digest": record.manifest_digest,
        "size": record.manifest_bytes,
        "platform": platform,
    }


def spelt(name: str) -> Reference | None:
    """Return the reference that ``name`` is, or None when it is an id or no reference."""
    try:
        return parse_reference(name).with_default_tag()
    except InvalidArgument:
        return None


def tagged(repository: str, tag: str | None) -> Reference:
    """Return the reference that a repository and a tag make; "latest" when neither names a tag.

    Raises:
        InvalidArgument: one is malformed, or a digest is given.
    """
    reference = parse_reference(repository)
    if reference.digest:
        raise InvalidArgument("refusing to create a tag with a digest reference")
    if reference.familiar.partition(":")[0] in ("sha256", "sha384", "sha512"):
        raise InvalidArgument("refusing to create an ambiguous tag using digest algorithm as name")
    return reference.with_tag(tag) if tag else reference.with_default_tag()
