"""The options of the exporters that make images (BuildKit, exporter/containerimage/exptypes). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.build.epoch import epoch_of
from wharf.engine.buildkit.annotations import Annotations, annotations_of, is_annotation
from wharf.engine.buildkit.compression import COMPRESSION, compression_of
from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.lookup import tagged
from wharf.images.packing import Compression
from wharf.lib.reference import Reference, parse_reference

_COMMON: Final = {
    "name", "rewrite-timestamp", "source-date-epoch", "oci-mediatypes", "oci-artifact", "attestation-inline",
    "prefer-nondist-layers", *COMPRESSION,
}  # fmt: skip
STORED: Final = frozenset({
    "push", "push-by-digest", "registry.insecure", "unpack", "store", "dangling-name-prefix",
    "danging-name-empty-only", "name-canonical", *_COMMON,
})  # fmt: skip
ARCHIVED: Final = frozenset({"dest", "tar", *_COMMON})
# Either way is what is done here: a result's layers are unpacked before it is exported, as steps made them, and no
# layer is one that may not be distributed, since images with such are refused when they are pulled.
_WITHOUT_EFFECT: Final = ("unpack", "prefer-nondist-layers")


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What an exporter is to make of a result."""

    names: tuple[Reference, ...] = ()
    compression: Compression = field(default_factory=Compression)
    annotations: Annotations = field(default_factory=Annotations)
    oci: bool = True  # media types of OCI's
    retime: bool = False  # no file is younger than SOURCE_DATE_EPOCH
    epoch_s: int | None = None  # that, for this exporter alone
    artifact: bool = False  # attestations as OCI artifacts
    inline: bool = True  # keep what was asked for only where images are kept
    push: bool = False
    by_digest: bool = False  # push without a tag
    insecure: bool = False  # to a registry whose certificate need not be good, or that has no TLS
    store: bool = True  # keep it in the engine
    canonical: bool = False  # call it by its digest too
    dangling_prefix: str = ""  # a repository to call it in by its digest
    dangling_only: bool = False  # only when it has no other name


def image_options(kind: str, attributes: Mapping[str, str], known: frozenset[str], *, inline: bool) -> ImageOptions:
    """Return an exporter's options.

    Args:
        kind: the exporter.
        attributes: as they came.
        known: those that it has.
        inline: whether it keeps by default what is kept with images alone.

    Raises:
        NotImplementedHere: one is not supported; with its name.
        InvalidArgument: one is malformed, or they contradict each other.
    """
    for name in attributes:
        if name not in known and not is_annotation(name):
            raise NotImplementedHere(
                f"the option {name} of the exporter {kind} is not supported by this build of wharf"
            )
    for name in _WITHOUT_EFFECT:
        truth_of(attributes, name)
    oci = truth_of(attributes, "oci-mediatypes", default=True)
    options = ImageOptions(
        tuple(names_of(attributes)),
        compression_of(attributes, oci=oci),
        annotations_of(attributes),
        oci,
        retime=truth_of(attributes, "rewrite-timestamp"),
        epoch_s=epoch_in(attributes),
        artifact=truth_of(attributes, "oci-artifact"),
        inline=truth_of(attributes, "attestation-inline", default=inline),
        push=truth_of(attributes, "push"),
        by_digest=truth_of(attributes, "push-by-digest"),
        insecure=truth_of(attributes, "registry.insecure"),
        store=truth_of(attributes, "store", default=True),
        canonical=truth_of(attributes, "name-canonical"),
        dangling_prefix=attributes.get("dangling-name-prefix", ""),
        dangling_only=truth_of(attributes, "danging-name-empty-only"),
    )
    _check(options, attributes)
    return options


def _check(options: ImageOptions, attributes: Mapping[str, str]) -> None:
    if options.push and not options.names:
        raise InvalidArgument("tag is needed when pushing to registry")
    if options.by_digest and any(":" in one.rpartition("/")[2] for one in attributes["name"].split(",")):
        raise InvalidArgument(f"can't push tagged ref {attributes['name']} by digest")
    if options.annotations.known and not options.oci:
        raise InvalidArgument('cannot export annotations with "oci-mediatypes=false"')
    if options.compression.kind in ("estargz", "zstd") and not options.oci:
        kind = options.compression.kind
        raise InvalidArgument(f"compression={kind} needs OCI's media types: leave oci-mediatypes=false out")


def epoch_in(attributes: Mapping[str, str]) -> int | None:
    """Return the time that an exporter is told, in seconds; None where it is told none.

    Raises:
        InvalidArgument: it is no whole number.
    """
    return epoch_of(attributes.get("source-date-epoch", ""))


def names_of(attributes: Mapping[str, str]) -> list[Reference]:
    """Return the names that an exporter gives to an image.

    Raises:
        InvalidArgument: one is malformed.
    """
    return [_name(text) for text in attributes.get("name", "").split(",") if text]


def _name(text: str) -> Reference:
    reference = parse_reference(text)
    if reference.digest:
        raise InvalidArgument("invalid reference format: refusing to create a tag with a digest reference")
    return tagged(reference.repository, reference.tag)
