"""Compose projects as artifacts of registries: ``oci://REPOSITORY[:TAG|@DIGEST]``.

The format is docker compose's: a manifest of artifact type ``application/vnd.docker.compose.project``. Its layers are
Compose files (merged in their order), files that these extend, and files of variables, named by annotations.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from wharf.client.documents import as_document, as_documents, number, section, text
from wharf.client.registry.repository import Repository
from wharf.compose.load.files import MAX_BYTES
from wharf.compose.load.located import ComposeError
from wharf.compose.remote.cache import kept
from wharf.errors import WharfError
from wharf.lib.digest import digest_of, hex_of, is_digest
from wharf.lib.light_json import loads
from wharf.lib.reference import parse_reference

SCHEME = "oci://"
PROJECT = "application/vnd.docker.compose.project"
FILE, ENV_FILE = "application/vnd.docker.compose.file+yaml", "application/vnd.docker.compose.envfile"
EMPTY_CONFIG = "application/vnd.docker.compose.config.empty.v1+json"
NAME, EXTENDS, ENV_NAME = "com.docker.compose.file", "com.docker.compose.extends", "com.docker.compose.envfile"
_INDEXES = frozenset({
    "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
})  # fmt: skip
_MAIN = "compose.yaml"
_MAX_LAYERS = 500


@dataclass(frozen=True, slots=True)
class Layer:
    """A file of an artifact."""

    name: str  # of the file it is written to; the same for all Compose files that are merged
    digest: str
    size: int


def bring_artifact(address: str, cache: str, environment: Mapping[str, str], *, plain: bool = False) -> str:
    """Return the path of the Compose file that an artifact holds, fetched when its manifest is a new one.

    Args:
        address: ``oci://...``.
        cache: The folder of remote files.
        environment: Where to look for credentials.
        plain: Whether the registry is insecure, as one on loopback is in any case.

    Raises:
        ComposeError: it is no Compose project, or tries to write elsewhere.
        WharfError: it cannot be had.
    """
    reference = parse_reference(address.removeprefix(SCHEME)).with_default_tag()
    repository = Repository(reference, environment, plain=plain)
    kind, data = repository.manifest(reference.digest or reference.tag or "")
    name = f"oci-{hex_of(digest_of(data))}"

    def fill(folder: str) -> None:
        manifest = _document(data, address)
        if kind in _INDEXES or text(manifest, "mediaType") in _INDEXES:
            found = project_in(manifest)
            if not found:
                raise ComposeError(f"OCI index {reference} doesn't refer to compose artifacts")
            if not is_digest(found):  # a tag would name whatever the registry likes
                raise ComposeError(f"OCI index {reference} refers to what is no digest: {found}")
            manifest = _document(repository.manifest(found)[1], address)
        for layer in layers_of(manifest, str(reference)):
            write(folder, layer.name, repository.blob(layer.digest, layer.size, MAX_BYTES))

    return os.path.join(kept(cache, name, fill), _MAIN)


def project_in(index: Mapping[str, object]) -> str:
    """Return the digest of the project's manifest in an index that holds an application; empty when it has none."""
    found = [one for one in as_documents(index.get("manifests")) if text(one, "artifactType") == PROJECT]
    return text(found[-1], "digest") if found else ""


def layers_of(manifest: Mapping[str, object], name: str) -> list[Layer]:
    """Return the files of an artifact, from its manifest.

    Raises:
        ComposeError: it is none of Compose's, or a file would be written elsewhere.
    """
    document = as_document(manifest)
    kind = text(document, "artifactType") or text(document, "config", "mediaType")
    if kind not in {PROJECT, EMPTY_CONFIG}:
        raise ComposeError(f"{name} is not a compose project OCI artifact, but {kind or 'an image'}")
    layers = as_documents(document.get("layers"))
    if len(layers) > _MAX_LAYERS:
        raise ComposeError(f"{name} has more than {_MAX_LAYERS} layers")
    found = []
    for layer in layers:
        annotations = section(layer, "annotations")
        if text(layer, "mediaType") == FILE:
            file = text(annotations, NAME) if EXTENDS in annotations else _MAIN
        elif text(layer, "mediaType") == ENV_FILE:
            file = text(annotations, ENV_NAME)
        else:
            continue
        found.append(Layer(_checked(file), text(layer, "digest"), number(layer, "size")))
    if _MAIN not in {layer.name for layer in found}:
        raise ComposeError(f"{name} holds no Compose file")
    return found


def _checked(name: str) -> str:
    if not name or "/" in name or "\\" in name or "\0" in name or name in {".", ".."} or len(name) > 255:
        raise ComposeError(f"invalid OCI artifact: it names a file {name[:80]!r}")
    return name


def write(folder: str, name: str, data: bytes) -> None:
    """Write a file of the artifact; a second Compose file is a second document of the first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(os.path.join(folder, name), flags, 0o600), "ab") as file:
        if file.tell():
            file.write(b"\n---\n")
        file.write(data)


def _document(data: bytes, address: str) -> dict[str, object]:
    try:
        return as_document(loads(data.decode("utf-8", "replace")))
    except ValueError as error:
        raise WharfError(f"{address}: the manifest is not JSON") from error
