from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, Slept, failed, fails, repository, serving, waiting

from wharf.errors import NotFound, Unauthorized, Unavailable, WharfError
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import Host, RegistryOptions, origin
from wharf.images.registry.transport import Transport, _unreachable, proxy_for
from wharf.lib.digest import digest_of

BLOB = digest_of(b"blob")


def has(fake: FakeRegistry, slept: Slept | None = None, credentials: Credentials | None = None) -> bool:
    fake.add(b"blob")

    async def ask() -> bool:
        async with repository(fake, credentials or Credentials(), slept) as repo:
            return await repo.has_blob(BLOB)

    return asyncio.run(ask())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again_with_patience(status: int) -> None:
    slept = Slept()

    assert has(FakeRegistry(faults=[fails(status), fails(status)]), slept)
    assert slept.delays == [1.0, 2.0]


def test_a_registry_says_when_to_come_back() -> None:
    slept = Slept()

    assert has(FakeRegistry(faults=[fails(429, Retry_After="7")]), slept)
    assert slept.delays == [7.0]


def test_patience_ends_with_the_registrys_own_words() -> None:
    fake = FakeRegistry(faults=[fails(429, "TOOMANYREQUESTS")] * 3)
    with pytest.raises(Unavailable, match="blob"):
        has(fake)
    assert len(fake.asked) == 3


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    slept = Slept()
    with pytest.raises(Unavailable):
        has(FakeRegistry(faults=[fails(429, Retry_After="3600")]), slept)
    assert slept.delays == []


def test_what_will_not_pass_is_asked_once() -> None:
    fake = FakeRegistry(faults=[fails(400)] * 3)
    with pytest.raises(WharfError):
        has(fake)
    assert len(fake.asked) == 1


@dataclass
class Basic(FakeRegistry):
    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Basic dTpw":
            return failed(401, "UNAUTHORIZED", {"WWW-Authenticate": "Basic realm=r"})
        return await super().answer(request)


def test_basic_credentials_are_sent_when_they_are_asked_for() -> None:
    assert has(Basic(), credentials=Credentials("u", "p"))
    with pytest.raises(Unauthorized):
        has(Basic(), credentials=Credentials("u", "wrong"))
    with pytest.raises(Unauthorized):
        has(Basic())


def test_a_registry_token_is_sent_as_it_is() -> None:
    fake = FakeRegistry()
    has(fake, credentials=Credentials(registry_token="t"))

    assert fake.headers[0]["Authorization"] == "Bearer t"


def test_loopback_is_tried_with_tls_and_then_without() -> None:
    async def ask() -> tuple[int, str]:
        async with serving(FakeRegistry()) as fake:
            transport = Transport(RegistryOptions(), waiting())
            host = origin(fake.address, RegistryOptions())
            try:
                async with transport.connect(host).request("GET", "/v2/", what="x") as response:
                    return response.status, transport.schemes(host)[0]
            finally:
                await transport.aclose()

    assert asyncio.run(ask()) == (200, "http")


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(-3, "Temporary failure in name resolution"), "Temporary failure in name resolution"),
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (OSError("odd"), "odd"),
    ],
)
def test_why_a_host_cannot_be_reached_is_told_in_the_systems_words(problem: OSError, said: str) -> None:
    key: Any = SimpleNamespace(host="registry.test", port=443, ssl=object(), is_ssl=True)

    told = _unreachable("x", Host("registry.test"), aiohttp.ClientConnectorError(key, problem))

    assert str(told) == f"x: cannot reach registry.test: {said}"


def test_a_host_that_must_be_secure_is_never_asked_without_tls() -> None:
    async def ask() -> FakeRegistry:
        async with serving(FakeRegistry()) as fake:
            transport = Transport(RegistryOptions(), waiting())
            try:
                with pytest.raises(Unavailable, match="cannot reach"):
                    async with transport.connect(Host(fake.address)).request("GET", "/v2/", what="x"):
                        pass
            finally:
                await transport.aclose()
            return fake

    assert asyncio.run(ask()).asked == []


def test_an_insecure_registry_cannot_name_a_host_whose_certificate_nobody_checks_any_more() -> None:
    transport = Transport(RegistryOptions(certificates=()), waiting())
    unverified = transport.context(Host("hub.example", verified=False))

    assert unverified.verify_mode is ssl.CERT_NONE
    assert transport.context(Host("hub.example")).verify_mode is ssl.CERT_REQUIRED


def test_a_closed_transport_asks_nobody() -> None:
    async def ask() -> list[str]:
        async with serving(FakeRegistry()) as fake:
            transport = Transport(RegistryOptions(), waiting())
            await transport.aclose()
            with pytest.raises(Unavailable, match="closing"):
                async with transport.connect(Host(fake.address, ("http",))).request("GET", "/v2/", what="x"):
                    pass
            return fake.asked

    assert asyncio.run(ask()) == []


def test_credentials_do_not_follow_an_address_that_is_not_encrypted() -> None:
    async def ask() -> dict[str, str]:
        async with serving(FakeRegistry()) as fake:
            transport = Transport(RegistryOptions(), waiting())
            connection = transport.connect(Host(fake.address), Credentials(registry_token="t"))
            try:
                async with connection.request("GET", f"http://{fake.address}/v2/", what="x"):
                    return fake.headers[0]
            finally:
                await transport.aclose()

    assert "Authorization" not in asyncio.run(ask())


def test_a_name_that_is_not_there_is_not_found() -> None:
    async def ask() -> None:
        async with repository(FakeRegistry()) as repo:
            await repo.manifest("none")

    with pytest.raises(NotFound, match="manifest unknown"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/v2/", "http://own:1"),
        ("http://a.example/v2/", "http://environment:2"),
        ("https://left.example/", None),
        ("http://127.0.0.1:5000/", None),
        ("https://192.0.2.7:5000/", None),
    ],
)
def test_proxies_are_the_options_or_the_environments(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://environment:2")

    assert (
        proxy_for(url, RegistryOptions(https_proxy="http://own:1", no_proxy="left.example, 192.0.2.0/24")) == expected
    )


def test_requests_that_are_refused_at_the_same_time_each_come_again_with_the_password() -> None:
    class Guarded(FakeRegistry):
        both = asyncio.Event()
        refused = 0

        async def answer(self, request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") == Credentials("me", "secret").basic:
                return await super().answer(request)
            self.refused += 1
            if self.refused == 2:
                self.both.set()
            await self.both.wait()
            return failed(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="me"'})

    fake = Guarded()
    fake.add(b"blob")

    async def ask() -> list[bool]:
        async with repository(fake, Credentials("me", "secret")) as repo:
            return await asyncio.gather(repo.has_blob(BLOB), repo.has_blob(BLOB))

    assert asyncio.run(ask()) == [True, True]
