"""Artifacts and images to a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wharf.client.documents import as_document, as_documents, number, text
from wharf.client.registry.repository import Refused, Repository
from wharf.compose.publish.artifact import EMPTY, INDEX, MANIFEST, Blob, Version, application, manifest
from wharf.errors import DataLoss, InvalidArgument
from wharf.lib.digest import digest_of, is_digest
from wharf.lib.light_json import loads

_DEPTH = 3  # an index of indexes of manifests


def push_artifact(repository: Repository, blobs: list[Blob], version: str, created: str) -> bytes:
    """Push a project; return its manifest.

    Args:
        repository: Where to; its name's tag, or ``latest``.
        blobs: The layers.
        version: 1.0 or 1.1; empty: 1.1, and 1.0 where the registry does not take that.
        created: RFC 3339.

    Raises:
        WharfError: why it could not be pushed.
    """
    for data in (EMPTY, *(blob.data for blob in blobs)):
        repository.push(data)
    tag = repository.name.tag or "latest"
    wanted: Iterable[Version] = {"": ("1.1", "1.0"), "1.0": ("1.0",), "1.1": ("1.1",)}.get(version, ())  # type: ignore[assignment]
    refusal: Refused | None = None
    for one in wanted:
        data = manifest(blobs, one, created)
        try:
            repository.push_manifest(tag, MANIFEST, data)
        except Refused as error:
            refusal = error
        else:
            return data
    raise refusal or InvalidArgument(f"unsupported OCI version: {version}")


def push_application(
    repository: Repository, project: bytes, images: Iterable[tuple[Repository, str]], tell: Callable[[str], object]
) -> str:
    """Push the images of a project beside it, and an index of them all; return the index's digest.

    Args:
        repository: Where to.
        project: The project's manifest.
        images: Where each is, and its tag or digest there.
        tell: Told of each image before it is copied.

    Raises:
        WharfError: why an image could not be copied.
    """
    found = []
    for source, wanted in images:
        tell(source.name.familiar)
        found.append(copy_image(repository, source, wanted))
    index = application(found, project)
    digest = digest_of(index)
    repository.push_manifest(digest, INDEX, index)
    return digest


def copy_image(target: Repository, source: Repository, wanted: str, depth: int = _DEPTH) -> dict[str, object]:
    """Copy an image of one or several platforms; return its descriptor.

    Raises:
        DataLoss: it is described in a way that makes no sense.
        WharfError: why it could not be copied.
    """
    media_type, data = source.manifest(wanted)
    try:
        document = as_document(loads(data.decode("utf-8", "replace")))
    except ValueError as error:
        raise DataLoss(f"the manifest of {source.name.familiar} is not JSON") from error
    below = as_documents(document.get("manifests"))
    if below and not depth:
        raise DataLoss(f"{source.name.familiar}: its indexes are nested too deeply")
    for one in below:
        if not is_digest(text(one, "digest")):
            raise DataLoss(f"an index of {source.name.familiar} refers to what is no digest: {text(one, 'digest')}")
        copy_image(target, source, text(one, "digest"), depth - 1)
    for blob in [] if below else [as_document(document.get("config")), *as_documents(document.get("layers"))]:
        target.copy_blob(source, text(blob, "digest"), number(blob, "size"))
    media_type = text(document, "mediaType") or media_type
    digest = digest_of(data)
    target.push_manifest(digest, media_type, data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}
