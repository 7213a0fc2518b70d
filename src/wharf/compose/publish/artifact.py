"""A project's files as an artifact: layers and manifest (image-spec 1.1, "Artifact Usage"). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wharf.compose.publish.bundle import Bundle
from wharf.compose.remote.oci import EMPTY_CONFIG, ENV_FILE, ENV_NAME, EXTENDS, FILE, NAME, PROJECT
from wharf.lib.digest import digest_of
from wharf.lib.light_json import dumps
from wharf.lib.version import __version__

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_VERSION = "com.docker.compose.version"
Version = Literal["1.0", "1.1"]


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer."""

    media_type: str
    data: bytes
    annotations: dict[str, str] = field(default_factory=dict)

    def descriptor(self) -> dict[str, object]:
        """Return its descriptor (image-spec descriptor.md)."""
        found: dict[str, object] = {"mediaType": self.media_type, "digest": digest_of(self.data)}
        return {**found, "size": len(self.data), "annotations": self.annotations}


def compose_file(name: str, text: str, **more: str) -> Blob:
    """Return a Compose file as a layer."""
    return Blob(FILE, text.encode(), {_VERSION: __version__, NAME: name, **more})


def layers(bundle: Bundle, *, variables: bool, digests: str = "") -> list[Blob]:
    """Return the layers of a bundle.

    Args:
        bundle: The files.
        variables: Whether files of variables are among them.
        digests: An override file that pins images.
    """
    found = [compose_file(name, text) for name, _, text in bundle.files]
    found += [compose_file(name, text, **{EXTENDS: "true"}) for name, text in bundle.extended.items()]
    for name, text in bundle.variables.items() if variables else ():
        found.append(Blob(ENV_FILE, text.encode(), {_VERSION: __version__, ENV_NAME: name}))
    return [*found, compose_file("image-digests.yaml", digests)] if digests else found


def manifest(blobs: list[Blob], version: Version, created: str) -> bytes:
    """Return the manifest of an artifact.

    Args:
        blobs: Its layers.
        version: Of the image-spec: 1.0 has no artifact types, and the configuration's type stands for it.
        created: RFC 3339.
    """
    config = {"mediaType": _EMPTY_TYPE if version == "1.1" else EMPTY_CONFIG, "digest": digest_of(EMPTY), "size": 2}
    document: dict[str, object] = {"schemaVersion": 2, "mediaType": MANIFEST}
    if version == "1.1":
        document["artifactType"] = PROJECT
        config["data"] = "e30="
    document |= {
        "config": config, "layers": [blob.descriptor() for blob in blobs],
        "annotations": {"org.opencontainers.image.created": created},
    }  # fmt: skip
    return dumps(document).encode()


def application(images: list[dict[str, object]], project: bytes) -> bytes:
    """Return the index of an application: its images, and the manifest of its project as their subject."""
    subject = {"mediaType": MANIFEST, "digest": digest_of(project), "size": len(project), "artifactType": PROJECT}
    return dumps({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": images, "subject": subject,
        "annotations": {_VERSION: __version__},
    }).encode()  # fmt: skip
