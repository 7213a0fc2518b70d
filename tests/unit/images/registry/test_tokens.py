from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from tests.fakes.registry import FakeRegistry, failed, repository

from wharf.errors import Unauthorized, Unavailable
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.lib.digest import digest_of

BLOB = digest_of(b"blob")


@dataclass
class Guarded(FakeRegistry):
    """Answers only who has a token, which it gives out itself."""

    answer_token: web.Response | None = None
    forms: list[dict[str, str]] = field(default_factory=list)
    given: int = 0
    expires_in: int = 300
    time_s: float = 0.0
    answer_takes_s: float = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            self.forms.append({**request.query, **{k: str(v) for k, v in (await request.post()).items()}})
            self.headers.append(dict(request.headers))
            self.given += 1
            body = {"token": f"t{self.given}", "expires_in": self.expires_in}
            return self.answer_token or web.json_response(body)
        if request.headers.get("Authorization") != f"Bearer t{self.given}":
            challenge = f'Bearer realm="http://{self.address}/token",service="me",scope="repository:repo:pull"'
            return failed(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})
        self.time_s += self.answer_takes_s
        return await super().answer(request)


def has(fake: Guarded, credentials: Credentials = ANONYMOUS, times: int = 1) -> list[bool]:
    fake.add(b"blob")

    async def ask() -> list[bool]:
        async with repository(fake, credentials, monotonic=lambda: fake.time_s) as repo:
            return [await repo.has_blob(BLOB) for _ in range(times)]

    return asyncio.run(ask())


def test_a_token_is_fetched_once_and_used_again() -> None:
    fake = Guarded()

    assert has(fake, times=3) == [True, True, True]
    assert fake.forms == [{"service": "me", "scope": "repository:repo:pull"}]


def test_a_token_that_has_expired_is_fetched_anew() -> None:
    fake = Guarded(expires_in=1, answer_takes_s=2)

    assert has(fake, times=2) == [True, True]
    assert fake.given == 2


def test_a_life_without_end_is_no_reason_to_fail() -> None:
    body = b'{"token": "t1", "expires_in": 1' + b"0" * 400 + b"}"
    fake = Guarded(answer_token=web.Response(body=body))

    assert has(fake) == [True]


def test_a_user_shows_name_and_password_for_a_token_only() -> None:
    fake = Guarded()
    has(fake, Credentials("u", "p"))

    assert fake.forms[0]["account"] == "u"
    assert fake.headers[0]["Authorization"] == "Basic dTpw"
    assert all(headers.get("Authorization") != "Basic dTpw" for headers in fake.headers[1:])


def test_an_identity_token_is_posted() -> None:
    fake = Guarded()
    has(fake, Credentials(identity_token="refresh"))

    assert fake.forms[0]["grant_type"] == "refresh_token"
    assert fake.forms[0]["refresh_token"] == "refresh"


def test_wrong_credentials_are_said_to_be() -> None:
    fake = Guarded(answer_token=web.json_response({"details": "incorrect username or password"}, status=401))
    with pytest.raises(Unauthorized, match="unauthorized: incorrect username or password"):
        has(fake, Credentials("u", "wrong"))


@pytest.mark.parametrize("answer", [web.Response(body=b"<html>"), web.json_response({}), web.Response(status=500)])
def test_an_answer_that_is_no_token_is_unavailable(answer: web.Response) -> None:
    with pytest.raises(Unavailable, match="token"):
        has(Guarded(answer_token=answer))
