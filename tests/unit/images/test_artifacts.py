from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.fakes.registry import FakeRegistry, repository, waiting

from wharf.errors import DataLoss, NotFound
from wharf.images.artifacts import Artifact
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
