"""docker login, on a registry that gives out tokens and on one that wants the password itself."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field
from typing import cast

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, failed, serving

from wharf.errors import InvalidArgument, Unauthorized, Unavailable
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import RegistryOptions
from wharf.images.store import Store
from wharf.images.transfers import Transfers


@dataclass
class Locked(FakeRegistry):
    """Lets in who knows the password; with ``tokens``, by a token."""

    tokens: bool = False
    identity_token: str = ""
    asked_tokens: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        known = request.headers.get("Authorization") == "Basic " + b64encode(b"me:secret").decode()
        if request.path == "/token":
            self.asked_tokens.append({**request.query})
            lasting = {"refresh_token": self.identity_token} if self.identity_token else {}
            body = {"token": "t", **lasting}
            return web.json_response(body) if known else failed(401, "UNAUTHORIZED")
        if known or request.headers.get("Authorization") == "Bearer t":
            return await super().answer(request)
        bearer = f'Bearer realm="http://{self.address}/token",service="me"'
        return failed(401, "UNAUTHORIZED", {"WWW-Authenticate": bearer if self.tokens else 'Basic realm="me"'})


def login(fake: FakeRegistry, password: str, server: str = "") -> str:
    async def ask() -> str:
        async with serving(fake):
            transfers = Transfers(cast("Store", None), RegistryOptions(attempts=1))  # login stores nothing
            try:
                credentials = Credentials("me", password, server=server or fake.address)
                return await transfers.authenticate(credentials)
            finally:
                await transfers.aclose()

    return asyncio.run(ask())


@pytest.mark.parametrize("tokens", [False, True])
def test_who_knows_the_password_is_let_in(tokens: bool) -> None:
    assert login(Locked(tokens=tokens), "secret") == ""


def test_a_registry_may_give_a_token_that_stands_for_the_password() -> None:
    fake = Locked(tokens=True, identity_token="lasts")

    assert login(fake, "secret") == "lasts"
    assert fake.asked_tokens == [{"service": "me", "account": "me", "offline_token": "true", "client_id": "wharf"}]


@pytest.mark.parametrize("tokens", [False, True])
def test_a_wrong_password_is_refused_in_dockers_words(tokens: bool) -> None:
    fake = Locked(tokens=tokens)
    with pytest.raises(Unauthorized) as refused:
        login(fake, "wrong")

    expected = f"login attempt to http://{fake.address}/v2/ failed with status: 401 Unauthorized: "
    assert str(refused.value).startswith(expected)


@pytest.mark.parametrize("server", ["bad host", "me@host"])
def test_a_server_that_is_no_address_is_refused(server: str) -> None:
    with pytest.raises(InvalidArgument, match="unable to parse server address"):
        login(FakeRegistry(), "secret", server)


def test_a_registry_that_is_not_there_is_told() -> None:
    with pytest.raises(Unavailable, match=r"cannot reach 127\.0\.0\.1:1"):
        login(FakeRegistry(), "secret", "127.0.0.1:1")
