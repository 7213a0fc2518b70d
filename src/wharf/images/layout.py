"""A set of images as one archive that each kind of tool can read: an image layout, and what docker load reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wharf.images.image_set import ImageSet
from wharf.images.lookup import CONTAINERD_NAME
from wharf.images.save import ENDING, document, file_header, folder
from wharf.lib.digest import digest_of, hex_of
from wharf.lib.reference import Reference
from wharf.spec.oci_image import OCI_INDEX, REF_NAME, Descriptor
from wharf.storage.tar_entry import BLOCK

_CHUNK: Final = 1 << 20


def archive(images: ImageSet, names: Sequence[Reference]) -> Iterator[bytes]:
    """Yield the archive; the same images give the same bytes. It blocks.

    Args:
        images: what is in it.
        names: what it is called there.
    """
    yield folder(b"blobs/") + folder(b"blobs/sha256/")
    parts: dict[str, bytes] = {digest_of(data): data for data in [*images.small_blobs, *images.manifests, images.raw]}
    blobs = {str(blob.descriptor["digest"]): blob for blob in images.blobs}
    for digest in sorted({*parts, *blobs}):
        name = b"blobs/sha256/" + hex_of(digest).encode()
        if digest in blobs:
            size = blobs[digest].path.stat().st_size
            yield file_header(name, size)
            with blobs[digest].path.open("rb") as file:
                yield from iter(lambda file=file: file.read(_CHUNK), b"")  # type: ignore[misc]  # bound now
            yield bytes(-size % BLOCK)
        else:
            yield document(name, parts[digest])
    yield document(b"index.json", {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": _entries(images, names)})
    if len(images.members) == 1:
        yield document(b"manifest.json", [_docker(images, names)])
    yield document(b"oci-layout", {"imageLayoutVersion": "1.0.0"})
    yield ENDING


def _entries(images: ImageSet, names: Sequence[Reference]) -> list[Descriptor]:
    """Return the top's entries in the index, one a name."""
    notes = images.top.get("annotations", {})
    named: list[Descriptor] = [
        {**images.top, "annotations": {**notes, CONTAINERD_NAME: str(name), REF_NAME: name.tag or ""}}
        for name in names
    ]
    return named or [images.top]


def _docker(images: ImageSet, names: Sequence[Reference]) -> dict[str, object]:
    (member,) = images.members
    return {
        "Config": f"blobs/sha256/{hex_of(member.image_id)}",
        "RepoTags": [name.familiar for name in names if name.tag] or None,
        "Layers": [f"blobs/sha256/{hex_of(str(blob.descriptor['digest']))}" for blob in member.blobs],
    }
