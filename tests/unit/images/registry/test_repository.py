from __future__ import annotations

import asyncio
import json
import os

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, Slept, breaks_off, fails, repository, well

from wharf.errors import DataLoss, InvalidArgument, NotFound, Unavailable
from wharf.images.registry.repository import MAX_MANIFEST_BYTES
from wharf.lib.digest import Digest, digest_of
from wharf.spec.oci_image import OCI_INDEX, OCI_MANIFEST

DATA = os.urandom(300_000)


def fetched(fake: FakeRegistry, start: int = 0, size: int = len(DATA), slept: Slept | None = None) -> bytes:
    async def fetch() -> bytes:
        async with repository(fake, slept=slept) as repo:
            return b"".join([piece async for piece in repo.blob(digest_of(DATA), size, start)])

    fake.blobs[digest_of(DATA)] = DATA
    return asyncio.run(fetch())


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("start", [0, 1, 299_999, 300_000])
def test_a_blob_is_fetched_from_where_it_is_wanted(start: int, ranges: bool) -> None:
    assert fetched(FakeRegistry(ranges=ranges), start) == DATA[start:]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_breaks_off_goes_on_where_it_was(ranges: bool) -> None:
    fake = FakeRegistry(faults=[breaks_off(DATA[:100_000], len(DATA)), well], ranges=ranges)

    assert fetched(fake) == DATA
    assert fake.headers[1]["Range"] == "bytes=100000-"


def test_a_download_that_never_gets_on_ends() -> None:
    slept = Slept()
    fake = FakeRegistry(faults=[breaks_off(b"", len(DATA))] * 10)
    with pytest.raises(Unavailable, match="blob sha256:"):
        fetched(fake, slept=slept)
    assert slept.delays == [1.0, 2.0]


def test_more_bytes_than_promised_are_refused() -> None:
    with pytest.raises(DataLoss, match="more than its 10 bytes"):
        fetched(FakeRegistry(), size=10)


def manifest(fake: FakeRegistry, name: str) -> Digest:
    async def fetch() -> Digest:
        async with repository(fake) as repo:
            return (await repo.manifest(name)).digest

    return asyncio.run(fetch())


def test_a_manifest_of_another_digest_is_refused() -> None:
    fake = FakeRegistry()
    good = digest_of(b"{}")
    fake.manifests[good] = (b"[]", OCI_MANIFEST)
    with pytest.raises(DataLoss, match=f"manifest verification failed for digest {good}"):
        manifest(fake, good)


def test_a_manifest_that_is_too_large_is_refused() -> None:
    fake = FakeRegistry()
    fake.name("1", b" " * (MAX_MANIFEST_BYTES + 1), OCI_MANIFEST)
    with pytest.raises(InvalidArgument, match="more than"):
        manifest(fake, "1")


def test_a_small_blob_of_another_digest_is_refused() -> None:
    async def fetch() -> bytes:
        fake = FakeRegistry(blobs={digest_of(b"good"): b"evil"})
        async with repository(fake) as repo:
            return await repo.small_blob(digest_of(b"good"), 4)

    with pytest.raises(DataLoss, match="blob verification failed"):
        asyncio.run(fetch())


def test_referrers_are_found_by_tag_where_there_is_no_api() -> None:
    subject, listed = digest_of(b"s"), {"digest": digest_of(b"r"), "artifactType": "application/x"}

    async def fetch() -> list[list[str]]:
        fake = FakeRegistry()
        fake.name(subject.replace(":", "-"), json.dumps({"manifests": [listed]}).encode(), OCI_INDEX)
        async with repository(fake) as repo:
            kinds = (None, "application/x", "application/y")
            return [[one["digest"] for one in await repo.referrers(subject, kind)] for kind in kinds]

    assert asyncio.run(fetch()) == [[digest_of(b"r")], [digest_of(b"r")], []]


def test_referrers_are_asked_for_by_type_and_come_page_by_page() -> None:
    subject = digest_of(b"s")
    wanted = [{"digest": digest_of(bytes([n])), "artifactType": "application/x"} for n in range(3)]
    unfiltered = {"digest": digest_of(b"other"), "artifactType": "application/y"}
    pages = [wanted[:2], [unfiltered, wanted[2]]]

    async def listed(request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("page", "0"))
        more = {} if number else {"Link": f'<{request.path}?{request.query_string}&page=1>; rel="next"'}
        return web.json_response({"schemaVersion": 2, "manifests": pages[number]}, headers=more)

    async def fetch() -> list[str]:
        async with repository(fake) as repo:
            return [one["digest"] for one in await repo.referrers(subject, "application/x")]

    fake = FakeRegistry(faults=[listed, listed])
    assert asyncio.run(fetch()) == [one["digest"] for one in wanted]
    assert fake.asked == [
        f"GET /v2/repo/referrers/{subject}?artifactType=application/x",
        f"GET /v2/repo/referrers/{subject}?artifactType=application/x&page=1",
    ]


def test_a_registry_that_does_not_tell_a_digest_is_asked_for_the_manifest() -> None:
    async def ask() -> object:
        fake = FakeRegistry(faults=[fails(405)])
        async with repository(fake) as repo:
            return await repo.head("1")

    assert asyncio.run(ask()) is None


def test_a_head_of_nothing_is_not_found() -> None:
    async def ask() -> object:
        async with repository(FakeRegistry()) as repo:
            return await repo.head("1")

    with pytest.raises(NotFound):
        asyncio.run(ask())
