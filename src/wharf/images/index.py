"""Image indexes (image-spec image-index.md), Docker's manifest lists: one name, an image for each platform. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from wharf.errors import InvalidArgument
from wharf.images.platform import Platform, choose, host, platform_of
from wharf.images.record import decode_object, without_nulls
from wharf.lib.digest import parse_digest
from wharf.spec.oci_image import DOCKER_INDEX, OCI_INDEX, Descriptor, Index

INDEXES: Final = (OCI_INDEX, DOCKER_INDEX)
ATTESTED: Final = "vnd.docker.reference.digest"
PREDICATE_TYPE: Final = "in-toto.io/predicate-type"
"""Names the type of a statement in an attestation's manifest (BuildKit, docs/attestations/attestation-storage.md)."""
_ATTESTATION: Final = "vnd.docker.reference.type"


def parse_index(raw: bytes) -> Index:
    """Return an index.

    Raises:
        InvalidArgument: it is not one.
    """
    document = without_nulls(decode_object(raw, "image index"))
    try:
        index = msgspec.convert(document, Index)
        for descriptor in index.get("manifests", []):
            parse_digest(descriptor["digest"])
    except (msgspec.ValidationError, KeyError) as error:
        raise InvalidArgument(f"invalid image index: {error}") from error
    return index


def is_index(raw: bytes, media_type: str = "") -> bool:
    """Return whether a document is an index: by its media type, or by what it holds when it names none."""
    document = decode_object(raw, "image manifest")
    own = document.get("mediaType") or media_type
    if own:
        return own in INDEXES
    return "manifests" in document and "config" not in document


def images_in(index: Index) -> list[Descriptor]:
    """Return the descriptors of an index that are of images: neither attestations nor artifacts."""
    return [
        one
        for one in index.get("manifests", [])
        if one.get("mediaType") not in INDEXES
        and not one.get("artifactType")
        and (not one.get("platform") or platform_of(one.get("platform")))
        and not attests(one)
    ]


def choose_image(index: Index, wanted: Platform | None) -> Descriptor | None:
    """Return the image of an index that suits ``wanted`` best; None stands for this machine, or for the only one."""
    return choose(images_in(index), wanted or host())


def attests(descriptor: Descriptor) -> bool:
    """Return whether an entry of an index is an attestation."""
    return _ATTESTATION in (descriptor.get("annotations") or {})


def attestations_of(index: Index, digest: str) -> list[Descriptor]:
    """Return the descriptors of an index that attest to its manifest ``digest``."""
    return [one for one in index.get("manifests", []) if attests(one) and one["annotations"].get(ATTESTED) == digest]
