"""The manifests of caches: blobs of layers with a document of results, as BuildKit writes and reads them. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from wharf.build.caches.config import chains, decode, decode_records
from wharf.errors import InvalidArgument
from wharf.images.index import images_in, is_index, parse_index
from wharf.images.record import decode_object, diff_ids_of, parse_config, parse_manifest
from wharf.lib.digest import Digest, digest_of, is_digest
from wharf.lib.moments import to_ns
from wharf.spec.buildkit_cache import (
    CACHE_CONFIG,
    CREATED_AT,
    INLINE,
    UNCOMPRESSED,
    CacheConfig,
    CacheLayer,
    CacheRecord,
)
from wharf.spec.oci_image import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST, Descriptor, Index, Manifest


@dataclass(frozen=True, slots=True)
class Form:
    """How a manifest is written."""

    image_manifest: bool = True  # as an image's, which every registry takes; else as an index of blobs
    oci: bool = True  # media types of OCI's; else Docker's

    @property
    def media_type(self) -> str:
        """The manifest's own."""
        if self.image_manifest:
            return OCI_MANIFEST
        return OCI_INDEX if self.oci else DOCKER_INDEX


@dataclass(frozen=True, slots=True)
class CachedLayer:
    """A layer that can be had, and its diff id."""

    descriptor: Descriptor
    diff_id: Digest
    created_ns: int | None = None  # when a build made it, as far as that is said


Results = Mapping[str, tuple[CachedLayer, ...]]
"""Layers, the lowest first, by the digest of a result's key."""


def written(layers: Sequence[Descriptor], config: bytes, form: Form) -> bytes:
    """Return the manifest of these blobs and their document."""
    about: Descriptor = {"mediaType": CACHE_CONFIG, "digest": digest_of(config), "size": len(config)}
    if form.image_manifest:
        manifest: Manifest = {
            "schemaVersion": 2,
            "mediaType": form.media_type,
            "config": about,
            "layers": list(layers),
        }
        return msgspec.json.encode(manifest)
    index: Index = {"schemaVersion": 2, "mediaType": form.media_type, "manifests": [*layers, about]}
    return msgspec.json.encode(index)


def config_of(raw: bytes) -> Descriptor | None:
    """Return where the document of a cache's manifest is; None when it is an image's or an index of images.

    Raises:
        InvalidArgument: it is no manifest.
    """
    if is_index(raw):
        return next((one for one in parse_index(raw)["manifests"] if one.get("mediaType") == CACHE_CONFIG), None)
    config = parse_manifest(raw)["config"]
    return config if config.get("mediaType") == CACHE_CONFIG else None


def results_of(raw: bytes, config: bytes) -> Results:
    """Return what a cache's manifest and its document hold together.

    Raises:
        InvalidArgument: one is malformed.
    """
    blobs = parse_index(raw)["manifests"] if is_index(raw) else parse_manifest(raw)["layers"]
    document = decode(config)
    told = {layer.blob: layer.annotations.diff_id for layer in document.layers or () if layer.annotations}
    layers = {}
    for one in blobs:
        diff_id = (one.get("annotations") or {}).get(UNCOMPRESSED) or told.get(one["digest"], "")
        if is_digest(diff_id):
            at = (one.get("annotations") or {}).get(CREATED_AT, "")
            layers[one["digest"]] = CachedLayer(one, Digest(diff_id), _moment(at))
    return _known(document, layers)


def images_of(raw: bytes) -> list[Descriptor]:
    """Return the images' manifests that an index lists; none for a manifest."""
    return images_in(parse_index(raw)) if is_index(raw) else []


def inline_results_of(manifest: bytes, config: bytes) -> Results:
    """Return what an image's own configuration says of results.

    Raises:
        InvalidArgument: it is malformed.
    """
    records = _inline_records(config)
    if not records:
        return {}
    image = parse_config(config)
    blobs, diff_ids = parse_manifest(manifest)["layers"], diff_ids_of(image)
    if len(blobs) != len(diff_ids):
        raise InvalidArgument("invalid image: its configuration does not list the layers of its manifest")
    times = [line.get("created", "") for line in image.get("history", []) if not line.get("empty_layer")]
    times = [*times, *[""] * len(blobs)][: len(blobs)]
    layers = {
        one["digest"]: CachedLayer(one, diff_id, _moment(at))
        for one, diff_id, at in zip(blobs, diff_ids, times, strict=True)
    }
    document = CacheConfig([CacheLayer(one["digest"], place - 1) for place, one in enumerate(blobs)], records)
    return _known(document, layers)


def _inline_records(config: bytes) -> list[CacheRecord]:
    told = decode_object(config, "image configuration").get(INLINE)
    if not isinstance(told, str):
        return []
    try:
        return decode_records(base64.b64decode(told, validate=True))
    except binascii.Error as error:
        raise InvalidArgument(f"invalid cache: {INLINE} is not base64") from error


def _moment(text: str) -> int | None:
    """Return a time, None for none, or for what is no time: it is only for people to see."""
    try:
        return max(to_ns(text), 0) or None if text else None
    except InvalidArgument:
        return None


def _known(document: CacheConfig, layers: Mapping[str, CachedLayer]) -> Results:
    """Return the results all of whose layers can be had, with times of layers that are results themselves."""
    found = {key: blobs for key, blobs in chains(document).items() if blobs and all(one in layers for one in blobs)}
    made = {blobs[-1] for blobs in found.values()}
    dated = {blob: one if blob in made else replace(one, created_ns=None) for blob, one in layers.items()}
    return {key: tuple(dated[blob] for blob in blobs) for key, blobs in found.items()}
