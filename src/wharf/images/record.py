"""An image as the rest of Wharf sees it, and its configuration checked when it enters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import msgspec

from wharf.errors import InvalidArgument
from wharf.images.platform import Platform, host, normal
from wharf.lib.digest import Digest, chain_ids, parse_digest
from wharf.lib.reference import Reference
from wharf.spec.oci_image import ImageConfig, Manifest


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of the store, at one moment."""

    id: Digest  # of its configuration: what Docker calls the image's id
    manifest_digest: Digest
    manifest: Manifest
    manifest_bytes: int
    config: ImageConfig  # without nulls
    chain_id: str  # of its top layer; "" for an image without layers
    size_bytes: int  # of its unpacked layers
    references: tuple[Reference, ...] = ()  # sorted
    tagged_at: str = ""  # RFC 3339; "" when it has no references
    held: bool = False  # it has no name of its own, but an index that has one lists it: another platform's image

    @property
    def dangling(self) -> bool:
        """Whether nothing names it."""
        return not (self.references or self.held)

    @property
    def diff_ids(self) -> list[Digest]:
        """Its layers, the lowest first."""
        return diff_ids_of(self.config)

    @property
    def tags(self) -> list[str]:
        """Its references by tag, as people type them."""
        return [reference.familiar for reference in self.references if reference.tag]

    @property
    def repo_digests(self) -> list[str]:
        """Its references by digest, as people type them."""
        return [reference.familiar for reference in self.references if reference.digest]


def parse_manifest(raw: bytes) -> Manifest:
    """Return an image's manifest.

    Raises:
        InvalidArgument: it is not one.
    """
    document = without_nulls(decode_object(raw, "image manifest"))
    try:
        manifest = msgspec.convert(document, Manifest)
        for descriptor in (manifest["config"], *manifest["layers"]):
            parse_digest(descriptor["digest"])
    except (msgspec.ValidationError, KeyError) as error:
        raise InvalidArgument(f"invalid image manifest: {error}") from error
    return manifest


def host_architecture() -> str:
    """Return this machine's architecture as images spell it."""
    return host().architecture


def platform_of_config(config: ImageConfig) -> Platform:
    """Return the platform that an image's configuration names."""
    return normal(config.get("os", "linux"), config.get("architecture", ""), config.get("variant", ""))


def diff_ids_of(config: ImageConfig) -> list[Digest]:
    """Return the layers of a checked configuration, the lowest first."""
    return cast("list[Digest]", config.get("rootfs", {"type": "layers", "diff_ids": []})["diff_ids"])


def top_chain_id(config: ImageConfig) -> str:
    """Return the chain id of the top layer of a checked configuration, "" for none."""
    chain = chain_ids(diff_ids_of(config))
    return chain[-1] if chain else ""


def parse_config(raw: bytes) -> ImageConfig:
    """Return an image's configuration without nulls; fields that no specification names are kept.

    Raises:
        InvalidArgument: it is not one, or is for another operating system.
    """
    document = without_nulls(decode_object(raw, "image configuration"))
    if isinstance(root := document.get("rootfs"), dict):
        root.setdefault("diff_ids", [])  # of an image of no layers BuildKit writes null
    try:
        msgspec.convert(document, ImageConfig)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"invalid image configuration: {error}") from error
    config = cast("ImageConfig", document)
    if config.get("os", "linux") != "linux":
        raise InvalidArgument(f'image operating system "{config["os"]}" cannot be used on this platform')
    for diff_id in diff_ids_of(config):
        parse_digest(diff_id)
    return config


def decode_object(raw: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object; InvalidArgument, naming ``what``, when it is not one."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgument(f"invalid {what}: {error}") from error
    if not isinstance(document, dict):
        raise InvalidArgument(f"invalid {what}: not an object")
    return document


def without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    """Return ``document`` less its null fields, at every depth: Go writes null for what is empty."""
    return {key: _cleared(value) for key, value in document.items() if value is not None}


def _cleared(value: Any) -> Any:
    if isinstance(value, dict):
        return without_nulls(value)
    if isinstance(value, list):
        return [_cleared(item) for item in value]
    return value
