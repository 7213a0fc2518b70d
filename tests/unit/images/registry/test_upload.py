from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, failed, fails, repository, waiting, well

from wharf.errors import Forbidden, InvalidArgument, Unavailable
from wharf.images.registry.upload import Uploaded, Uploads
from wharf.lib.digest import digest_of
from wharf.spec.oci_image import OCI_MANIFEST

DATA = os.urandom(1000)


async def read(start: int, end: int) -> AsyncIterator[bytes]:
    for at in range(start, end, 70):
        yield DATA[at : min(at + 70, end)]


def uploaded(fake: FakeRegistry, chunk: int = 10_000, sources: tuple[str, ...] = ()) -> tuple[Uploaded, str]:
    async def send() -> tuple[Uploaded, str]:
        async with repository(fake) as repo:
            return await Uploads(repo, waiting(), chunk).blob(digest_of(DATA), len(DATA), read, sources)

    return asyncio.run(send())


def methods(fake: FakeRegistry) -> list[str]:
    return [asked.partition(" ")[0] for asked in fake.asked]


def test_a_small_blob_goes_in_one_piece() -> None:
    fake = FakeRegistry()

    assert uploaded(fake) == (Uploaded.PUSHED, "")
    assert fake.blobs[digest_of(DATA)] == DATA
    assert methods(fake) == ["HEAD", "POST", "PUT"]


def test_a_large_blob_goes_in_chunks() -> None:
    fake = FakeRegistry()

    assert uploaded(fake, chunk=300) == (Uploaded.PUSHED, "")
    assert fake.blobs[digest_of(DATA)] == DATA
    assert methods(fake) == ["HEAD", "POST", "PATCH", "PATCH", "PATCH", "PATCH", "PUT"]


def test_chunks_go_on_from_what_the_registry_has() -> None:
    fake = FakeRegistry(faults=[well, well, well, *[fails(503)] * 3])

    assert uploaded(fake, chunk=300) == (Uploaded.PUSHED, "")
    assert fake.blobs[digest_of(DATA)] == DATA


def test_an_upload_that_breaks_off_is_begun_again() -> None:
    fake = FakeRegistry(faults=[well, well, *[fails(502)] * 3])

    assert uploaded(fake) == (Uploaded.PUSHED, "")
    assert fake.blobs[digest_of(DATA)] == DATA


def test_an_upload_that_never_gets_through_ends() -> None:
    fake = FakeRegistry(faults=[well, well, *[fails(502)] * 300])
    with pytest.raises(Unavailable, match="status 502"):
        uploaded(fake)


def test_an_upload_that_is_forgotten_again_and_again_ends() -> None:
    class Forgetful(FakeRegistry):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            self.asked.append(request.method)
            assert len(self.asked) < 100
            if request.method == "PATCH" and request.headers["Content-Range"].startswith("300-"):
                return failed(416, "BLOB_UPLOAD_INVALID")
            if request.method in ("GET", "PATCH"):
                status, end = (204, 0) if request.method == "GET" else (202, 299)
                return web.Response(status=status, headers={"Location": request.path, "Range": f"0-{end}"})
            return await super().answer(request)

    with pytest.raises(InvalidArgument, match="upload"):
        uploaded(Forgetful(), chunk=300)


def test_what_is_there_is_not_sent() -> None:
    fake = FakeRegistry(blobs={digest_of(DATA): DATA})

    assert uploaded(fake) == (Uploaded.EXISTED, "")
    assert methods(fake) == ["HEAD"]


def test_what_another_repository_has_is_mounted() -> None:
    fake = FakeRegistry(blobs={digest_of(DATA): DATA}, faults=[fails(404)])

    assert uploaded(fake, sources=("other",)) == (Uploaded.MOUNTED, "other")
    assert fake.asked[1] == f"POST /v2/repo/blobs/uploads/?mount={digest_of(DATA)}&from=other"


def test_a_mount_that_is_declined_becomes_an_upload() -> None:
    fake = FakeRegistry()

    assert uploaded(fake, sources=("other",)) == (Uploaded.PUSHED, "")
    assert methods(fake) == ["HEAD", "POST", "PUT"]


def test_a_refusal_is_told() -> None:
    with pytest.raises(Forbidden, match="denied"):
        uploaded(FakeRegistry(faults=[well, fails(403, "DENIED")]))


def test_a_manifest_is_stored_under_its_name() -> None:
    async def send() -> FakeRegistry:
        fake = FakeRegistry()
        async with repository(fake) as repo:
            await Uploads(repo, waiting()).manifest("1", b"{}", OCI_MANIFEST)
        return fake

    assert asyncio.run(send()).manifests["1"] == (b"{}", OCI_MANIFEST)
