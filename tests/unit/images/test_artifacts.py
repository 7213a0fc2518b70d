from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, failed, repository, waiting

from wharf.errors import DataLoss, Forbidden, NotFound
from wharf.images.artifacts import Artifact
from wharf.images.image_set import Form, Part, put_together
from wharf.images.packing import Blob
from wharf.images.registry.upload import Uploads
from wharf.lib.digest import digest_of
from wharf.lib.reference import parse_reference
from wharf.spec.oci_image import OCI_MANIFEST, Descriptor


def _descriptor(data: bytes, media_type: str = "") -> Descriptor:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"layer" * 1000)
    manifest = b'{"schemaVersion":2,"config":{},"layers":[]}'

    async def body() -> None:
        async with repository(FakeRegistry()) as found:
            artifact = Artifact(found, Uploads(found, waiting()), parse_reference("host:5000/repo:1"))
            with pytest.raises(NotFound):
                await artifact.manifest()
            await artifact.write(_descriptor(b"layer" * 1000), tmp_path / "blob")
            await artifact.write_document(_descriptor(b"{}"), b"{}")
            await artifact.write_manifest(manifest, OCI_MANIFEST)

            assert artifact.name == "host:5000/repo:1"
            assert await artifact.manifest() == manifest
            assert await artifact.document(_descriptor(manifest, OCI_MANIFEST)) == manifest
            assert await artifact.document(_descriptor(b"{}")) == b"{}"
            pieces = [piece async for piece in artifact.read(_descriptor(b"layer" * 1000))]
            assert b"".join(pieces) == b"layer" * 1000

    asyncio.run(body())


def test_a_document_of_other_bytes_is_refused() -> None:
    fake = FakeRegistry()

    async def body() -> None:
        async with repository(fake) as found:
            artifact = Artifact(found, Uploads(found, waiting()), parse_reference("host:5000/repo:1"))
            fake.blobs[digest_of(b"{}")] = b"[]"
            with pytest.raises(DataLoss, match="verification failed"):
                await artifact.document(_descriptor(b"{}"))

    asyncio.run(body())


async def _refuse_uploads(request: web.Request) -> web.StreamResponse | None:
    return failed(403, "DENIED") if request.method == "POST" else None


def test_uploads_that_are_refused_are_told_as_one_error(tmp_path: Path) -> None:
    blobs = [_blob(tmp_path / str(number)) for number in range(3)]
    image = put_together([Part({"architecture": "amd64", "os": "linux"}, blobs)], Form())
    fake = FakeRegistry(faults=[_refuse_uploads] * 20)

    async def body() -> None:
        async with repository(fake) as found:
            artifact = Artifact(found, Uploads(found, waiting()), parse_reference("host:5000/repo:1"))
            with pytest.raises(Forbidden, match="denied"):
                await artifact.write_images(image)

    asyncio.run(body())
    assert fake.manifests == {}


def _blob(path: Path) -> Blob:
    path.write_bytes(path.name.encode())
    return Blob(_descriptor(path.read_bytes()), digest_of(path.read_bytes()), 1, path)
