"""What can be stored as an image, and what is refused, by media type. Pure."""

from __future__ import annotations

from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.oci_image import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    Manifest,
)

MANIFESTS: Final = (OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST)
"""What is asked of a registry for a name, the preferred first."""
LAYERS: Final = frozenset(
    {OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, DOCKER_LAYER, DOCKER_LAYER_GZIP, f"{DOCKER_LAYER}.zstd"}
)
_CONFIGS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG, "application/octet-stream", ""})
_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1"
_FOREIGN: Final = (".foreign.", ".nondistributable.")
_ENCRYPTED: Final = "+encrypted"


def require_image(manifest: Manifest, name: str) -> None:
    """Check that a manifest is of an image that can be unpacked.

    Raises:
        NotImplementedHere: a layer is encrypted, or kept elsewhere (foreign).
        InvalidArgument: it is another kind of artifact.
    """
    config = manifest["config"].get("mediaType", "")
    if config not in _CONFIGS or (manifest.get("artifactType") and config not in (OCI_CONFIG, DOCKER_CONFIG)):
        kind = manifest.get("artifactType") or config
        raise InvalidArgument(f"{name} is not an image but an artifact of type {kind}, which cannot be unpacked")
    for layer in manifest["layers"]:
        _require_layer(layer.get("mediaType", ""), layer["digest"], name)


def _require_layer(media_type: str, digest: str, name: str) -> None:
    if any(word in media_type for word in _FOREIGN):
        raise NotImplementedHere(
            f"layer {digest} of {name} is foreign: its bytes are not in the registry but at addresses it names, "
            "which is not supported: ask its maker for an image with all of its layers"
        )
    if _ENCRYPTED in media_type:
        raise NotImplementedHere(f"layer {digest} of {name} is encrypted, which is not supported: decrypt it first")
    if media_type and media_type not in LAYERS:
        raise InvalidArgument(f"layer {digest} of {name} has the media type {media_type}, which is no image's")


def refuse_schema_1(media_type: str, version: object, name: str) -> None:
    """Refuse Docker's first manifests.

    Raises:
        NotImplementedHere: this is one.
    """
    if media_type.startswith(_SCHEMA_1) or version == 1:
        raise NotImplementedHere(
            f"{name} is stored as manifest schema 1, a format that is withdrawn since 2020 and not supported: "
            "ask its maker to push it again as an OCI image"
        )
