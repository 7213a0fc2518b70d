"""Images put together from layers and configurations, for one platform or several, with what attests to them. Pure.

::

    part: configuration + layers ─▶ manifest ─┬▶ index ─▶ what a name stands for
          └ statements ─▶ attestation manifest ┘

An attestation manifest stands beside the image that it is about (BuildKit, docs/attestations/attestation-storage).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypedDict
from urllib.parse import quote

import msgspec

from wharf.images.index import PREDICATE_TYPE
from wharf.images.packing import Blob
from wharf.images.platform import Platform
from wharf.lib.digest import Digest, digest_of, hex_of
from wharf.lib.reference import DEFAULT_DOMAIN, Reference
from wharf.spec.oci_image import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    ImageConfig,
    Index,
    Manifest,
    RootFS,
)
from wharf.spec.oci_image import Platform as PlatformDocument

ATTESTATION: Final = "application/vnd.docker.attestation.manifest.v1+json"
IN_TOTO: Final = "application/vnd.in-toto+json"
_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_EMPTY: Final = b"{}"
_UNKNOWN: Final[PlatformDocument] = {"architecture": "unknown", "os": "unknown"}


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said of an image (in-toto, "Predicate"): its type's address, and a JSON value."""

    type: str
    value: object
    subjects: tuple[Mapping[str, object], ...] = ()  # what it is about, where that is not the image itself
    file_name: str = ""  # where it lies beside a result's files; "": as its type has it


@dataclass(frozen=True, slots=True)
class Part:
    """The image for one platform."""

    config: ImageConfig  # its ``rootfs`` is filled in
    blobs: Sequence[Blob]
    platform: Platform | None = None  # None: whatever the configuration says
    predicates: tuple[Predicate, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)  # of its manifest
    descriptor_annotations: Mapping[str, str] = field(default_factory=dict)  # of its entry in the index


@dataclass(frozen=True, slots=True)
class Form:
    """How the documents are written."""

    oci: bool = True  # media types of OCI's; else Docker's
    index: bool = False  # an index, also of one image that nothing attests to
    artifact: bool = False  # attestations as artifacts that refer to the image; else as images
    annotations: Mapping[str, str] = field(default_factory=dict)  # of the index
    descriptor_annotations: Mapping[str, str] = field(default_factory=dict)  # of what leads to the index


@dataclass(frozen=True, slots=True)
class Member:
    """One image of a set, as it is stored."""

    config: bytes
    manifest: bytes
    blobs: tuple[Blob, ...]

    @property
    def image_id(self) -> Digest:
        """The digest of its configuration."""
        return digest_of(self.config)


@dataclass(frozen=True, slots=True)
class Attached:
    """What attests to a member: a manifest, with its configuration and statements."""

    manifest: bytes
    blobs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """All that a name stands for: one image, or an index of several."""

    top: Descriptor
    raw: bytes  # the manifest or the index
    members: tuple[Member, ...]
    attached: tuple[Attached, ...] = ()

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return len(self.members) != 1 or self.members[0].manifest != self.raw

    @property
    def manifests(self) -> list[bytes]:
        """The manifests that an index lists, each once; none for one image."""
        own = [*(member.manifest for member in self.members), *(one.manifest for one in self.attached)]
        return list(dict.fromkeys(own)) if self.is_index else []

    @property
    def small_blobs(self) -> list[bytes]:
        """Configurations and statements, each once."""
        own = [member.config for member in self.members]
        return list(dict.fromkeys((*own, *(data for one in self.attached for data in one.blobs))))

    @property
    def blobs(self) -> list[Blob]:
        """The layers, each once."""
        found = {str(blob.descriptor["digest"]): blob for member in self.members for blob in member.blobs}
        return list(found.values())


class _Noted(TypedDict, total=False):
    annotations: dict[str, str]


def put_together(parts: Sequence[Part], form: Form, names: Sequence[Reference] = ()) -> ImageSet:
    """Return the documents of an image for each part; the same parts give the same bytes.

    Args:
        parts: at least one.
        form: how they are written.
        names: what statements call the image.
    """
    members: list[Member] = []
    entries: list[Descriptor] = []
    attestations: list[Descriptor] = []
    attached: list[Attached] = []
    for part in parts:
        member, entry = _image(part, form)
        members.append(member)
        entries.append(entry)
        if part.predicates:
            about, one = _attestation(part, entry, form, names)
            attestations.append(about)
            attached.append(one)
    if len(parts) == 1 and not attestations and not form.index:
        return ImageSet(entries[0], members[0].manifest, tuple(members))
    index: Index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX if form.oci else DOCKER_INDEX,
        "manifests": [*entries, *attestations],
    }
    if form.annotations:
        index["annotations"] = dict(form.annotations)
    raw = msgspec.json.encode(index)
    top: Descriptor = {**_descriptor(raw, index["mediaType"]), **_noted(form.descriptor_annotations)}
    return ImageSet(top, raw, tuple(members), tuple(attached))


def _image(part: Part, form: Form) -> tuple[Member, Descriptor]:
    rootfs: RootFS = {"type": "layers", "diff_ids": [str(blob.diff_id) for blob in part.blobs]}
    config = msgspec.json.encode({**part.config, "rootfs": rootfs})
    manifest: Manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if form.oci else DOCKER_MANIFEST,
        "config": _descriptor(config, OCI_CONFIG if form.oci else DOCKER_CONFIG),
        "layers": [blob.descriptor for blob in part.blobs],
    }
    if part.annotations:
        manifest["annotations"] = dict(part.annotations)
    raw = msgspec.json.encode(manifest)
    entry: Descriptor = {
        **_descriptor(raw, manifest["mediaType"]),
        **_noted(part.descriptor_annotations),
        "platform": _platform(part),
    }
    return Member(config, raw, tuple(part.blobs)), entry


def _attestation(
    part: Part, entry: Descriptor, form: Form, names: Sequence[Reference]
) -> tuple[Descriptor, Attached]:
    """Return the entry of an attestation manifest in the index, and what it leads to."""
    subjects = _subjects(entry, part, names)
    statements = [msgspec.json.encode(statement(one, subjects)) for one in part.predicates]
    layers: list[Descriptor] = [
        {**_descriptor(data, IN_TOTO), "annotations": {PREDICATE_TYPE: one.type}}
        for data, one in zip(statements, part.predicates, strict=True)
    ]
    config = _EMPTY if form.artifact else _attestation_config(layers)
    manifest: Manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(config, OCI_EMPTY if form.artifact else OCI_CONFIG),
        "layers": layers,
    }
    if form.artifact:
        manifest["artifactType"] = ATTESTATION
        manifest["subject"] = {"mediaType": entry["mediaType"], "digest": entry["digest"], "size": entry["size"]}
    raw = msgspec.json.encode(manifest)
    notes = {
        "vnd.docker.reference.digest": str(entry["digest"]),
        "vnd.docker.reference.type": "attestation-manifest",
    }
    about: Descriptor = {**_descriptor(raw, OCI_MANIFEST), "annotations": notes, "platform": _UNKNOWN}
    return about, Attached(raw, (*statements, config))


def statement(about: Predicate, subjects: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return what is said of subjects (in-toto, "Statement")."""
    return {
        "_type": _STATEMENT,
        "predicateType": about.type,
        "predicate": about.value,
        "subject": list(about.subjects or subjects),
    }


def _attestation_config(layers: Sequence[Descriptor]) -> bytes:
    """Return a configuration that says nothing, for tools that know nothing but images."""
    rootfs: RootFS = {"type": "layers", "diff_ids": [str(one["digest"]) for one in layers]}
    return msgspec.json.encode({**_UNKNOWN, "config": {}, "rootfs": rootfs})


def _subjects(entry: Descriptor, part: Part, names: Sequence[Reference]) -> list[dict[str, object]]:
    digest = {"sha256": hex_of(str(entry["digest"]))}
    return [{"name": purl(name, _platform(part)), "digest": digest} for name in names] or [
        {"name": "_", "digest": digest}
    ]


def purl(name: Reference, platform: PlatformDocument) -> str:
    """Return an image's package URL (package-url, purl-spec, type ``docker``)."""
    whole = name.familiar_repository if name.domain == DEFAULT_DOMAIN else name.repository
    path = "/".join(quote(piece, safe="") for piece in whole.split("/"))
    version = quote(name.digest or name.tag or "latest", safe="")
    parts = [platform.get("os", ""), platform.get("architecture", ""), platform.get("variant", "")]
    return f"pkg:docker/{path}@{version}?platform={quote('/'.join(filter(None, parts)), safe='')}"


def _platform(part: Part) -> PlatformDocument:
    found: PlatformDocument = {
        "architecture": part.platform.architecture if part.platform else part.config.get("architecture", ""),
        "os": part.platform.os if part.platform else part.config.get("os", "linux"),
    }
    variant = part.platform.variant if part.platform else part.config.get("variant", "")
    return {**found, "variant": variant} if variant else found


def _noted(annotations: Mapping[str, str]) -> _Noted:
    return {"annotations": dict(annotations)} if annotations else {}


def _descriptor(raw: bytes, media_type: str) -> Descriptor:
    return {"mediaType": media_type, "digest": digest_of(raw), "size": len(raw)}
