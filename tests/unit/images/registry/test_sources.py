from __future__ import annotations

import asyncio

import pytest
from tests.fakes.registry import FakeRegistry, fails, serving, waiting

from wharf.errors import NotFound, Unavailable
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.registry.sources import Sources
from wharf.images.registry.transport import Transport
from wharf.lib.digest import digest_of
from wharf.lib.reference import Reference
from wharf.spec.oci_image import OCI_MANIFEST


def resolve(mirror: FakeRegistry, itself: FakeRegistry) -> str:
    async def ask() -> str:
        async with serving(mirror), serving(itself):
            options = RegistryOptions(mirrors={itself.address: (f"http://{mirror.address}",)})
            transport = Transport(options, waiting())
            reference = Reference(itself.address, "repo", "1")
            try:
                sources = Sources(transport, Credentials(registry_token="secret"))
                manifest = await sources.first(reference, lambda repository: repository.manifest("1"))
            finally:
                await transport.aclose()
            return manifest.digest

    return asyncio.run(ask())


def having(raw: bytes) -> FakeRegistry:
    fake = FakeRegistry()
    fake.name("1", raw, OCI_MANIFEST)
    return fake


def test_a_mirror_that_has_it_is_enough_and_is_told_no_secret() -> None:
    mirror, itself = having(b"{}"), having(b"[]")

    assert resolve(mirror, itself) == digest_of(b"{}")
    assert itself.asked == []
    assert "Authorization" not in mirror.headers[0]


@pytest.mark.parametrize("mirror", [FakeRegistry(), FakeRegistry(faults=[fails(429)] * 9)])
def test_a_mirror_that_fails_is_passed_over(mirror: FakeRegistry) -> None:
    assert resolve(mirror, having(b"[]")) == digest_of(b"[]")


def test_what_nobody_has_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"^manifest for .*/repo:1 not found: manifest unknown: "):
        resolve(FakeRegistry(), FakeRegistry())


@pytest.mark.parametrize("status", [401, 403])
def test_what_is_shown_to_others_only_may_need_a_login(status: int) -> None:
    with pytest.raises(NotFound, match=r"^pull access denied for .*/repo, repository does not exist or may require"):
        resolve(FakeRegistry(), FakeRegistry(faults=[fails(status, "DENIED")]))


def test_a_registry_that_fails_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        resolve(FakeRegistry(), FakeRegistry(faults=[fails(500)] * 9))
