"""Plugins from registries and to them: a manifest, a configuration and layers, each verified before it is used."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wharf.engine.plugins.config import read_config
from wharf.engine.plugins.folder import MANIFEST, Made, unpack_blobs
from wharf.errors import DataLoss, InvalidArgument
from wharf.images.bridge import Blocking
from wharf.images.progress import Progress
from wharf.images.record import parse_manifest
from wharf.lib.digest import Digest, digest_of, hex_of, short
from wharf.lib.reference import Reference
from wharf.spec.engine_api.plugin import PLUGIN_CONFIG, PluginConfig
from wharf.spec.oci_image import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor, Manifest

if TYPE_CHECKING:
    from wharf.images.artifacts import Artifact

_LAYERS: Final = frozenset(
    {
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
    }
)


async def look(artifact: Artifact) -> tuple[bytes, Manifest, bytes, PluginConfig]:
    """Return the manifest of a plugin at its registry, and its configuration, both also as they are there.

    Raises:
        NotFound: the registry has nothing of that name.
        InvalidArgument: what it has is no plugin.
    """
    raw = await artifact.manifest()
    manifest = parse_manifest(raw)
    kind = manifest["config"].get("mediaType", "")
    if kind != PLUGIN_CONFIG:
        raise InvalidArgument(f"{artifact.name} is not a plugin: its configuration is of the type {kind}")
    for layer in manifest["layers"]:
        if layer.get("mediaType", "") not in _LAYERS:
            raise InvalidArgument(
                f"layer {layer['digest']} of {artifact.name} has the media type {layer.get('mediaType')}, "
                "which no plugin has"
            )
    config = await artifact.document(manifest["config"])
    return raw, manifest, config, read_config(config)


async def bring(
    artifact: Artifact, reference: Reference, place: Path, progress: Progress, blocking: Blocking
) -> Made:
    """Fetch a plugin into a draft and unpack it; when it is cancelled, nothing works there any more.

    Raises:
        NotFound: the registry has nothing of that name.
        InvalidArgument: what it has is no plugin, or a layer is corrupt or refused.
        DataLoss: other bytes came than the manifest lists.
    """
    raw, manifest, config, document = await look(artifact)
    progress.tell({"status": f"Pulling from {reference.familiar_repository}", "id": reference.tag or ""})
    progress.tell({"status": f"Digest: {digest_of(raw)}"})
    (place / hex_of(digest_of(config))).write_bytes(config)
    (place / MANIFEST).write_bytes(raw)
    for layer in manifest["layers"]:
        await _layer(artifact, layer, place, progress, blocking)
    await blocking.run(partial(unpack_blobs, place, manifest["layers"]))
    for layer in manifest["layers"]:
        progress.step("Complete", short(layer["digest"]))
    return Made(digest_of(raw), document)


async def _layer(artifact: Artifact, layer: Descriptor, place: Path, progress: Progress, blocking: Blocking) -> None:
    import hashlib  # noqa: PLC0415  # for who installs a plugin alone

    digest, size, name = layer["digest"], layer.get("size", 0), short(layer["digest"])
    progress.step("Waiting", name)
    found, count = hashlib.sha256(), 0
    with (place / hex_of(digest)).open("wb") as file:
        async for chunk in artifact.read(layer):
            found.update(chunk)
            count += len(chunk)
            await blocking.run(partial(file.write, chunk))
            progress.count("Downloading", name, count, size)
    if f"sha256:{found.hexdigest()}" != digest:
        raise DataLoss(f"layer {digest}: the registry sent sha256:{found.hexdigest()}")
    progress.step("Download complete", name)


async def send(artifact: Artifact, reference: Reference, place: Path, progress: Progress) -> Digest:
    """Send a plugin's image, kept in ``place``, to its registry; return the digest that it has there."""
    raw = (place / MANIFEST).read_bytes()
    manifest = parse_manifest(raw)
    blobs = [manifest["config"], *manifest["layers"]]
    progress.tell({"status": f"The push refers to repository [{reference.repository}]"})
    for blob in blobs:
        progress.step("Preparing", short(blob["digest"]))
    for blob in blobs:
        await artifact.write(blob, place / hex_of(blob["digest"]))
        progress.step("Upload complete", short(blob["digest"]))
    media_type = manifest.get("mediaType") or OCI_MANIFEST
    await artifact.write_manifest(raw, media_type if media_type in (DOCKER_MANIFEST, OCI_MANIFEST) else OCI_MANIFEST)
    digest = digest_of(raw)
    progress.tell({"progressDetail": {}, "aux": {"Tag": reference.tag, "Digest": digest, "Size": len(raw)}})
    return digest
