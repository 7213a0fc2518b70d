from __future__ import annotations

from collections.abc import Mapping

import pytest

from wharf.client.registry.tokens import Tokens
from wharf.errors import Unauthorized, Unavailable
from wharf.lib.challenge import Challenge

BEARER = Challenge("bearer", {"realm": "https://auth.test/token?a=b", "service": "reg", "scope": "repository:x:pull"})
BASIC = Challenge("basic")


class Server:
    def __init__(self, status: int = 200, body: bytes = b'{"token": "T"}') -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self._answer = status, body

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        self.asked.append((method, url, dict(headers), body))
        return self._answer


def test_token_is_fetched_where_the_challenge_says() -> None:
    server = Server()
    tokens = Tokens(("me", "pw"), server)
    tokens.answer([BASIC, BEARER], ["repository:y:push"], secure=True)

    assert tokens.header == "Bearer T"
    assert server.asked == [(
        "GET", "https://auth.test/token?a=b&service=reg&scope=repository%3Ax%3Apull&scope=repository%3Ay%3Apush",
        {"Authorization": "Basic bWU6cHc="}, b"",
    )]  # fmt: skip


def test_identity_token_is_exchanged() -> None:
    server = Server(body=b'{"access_token": "T"}')
    Tokens(("", "lasting"), server).answer([BEARER], [], secure=True)

    [(method, url, _, body)] = server.asked
    assert (method, url) == ("POST", "https://auth.test/token?a=b")
    assert body.startswith(b"grant_type=refresh_token&refresh_token=lasting&")


def test_password_is_told_to_who_asks_for_basic() -> None:
    tokens = Tokens(("me", "pw"), Server())
    tokens.answer([BASIC], [], secure=True)

    assert tokens.header == "Basic bWU6cHc="
    with pytest.raises(Unauthorized):
        Tokens(("", ""), Server()).answer([BASIC], [], secure=True)


@pytest.mark.parametrize("realm", ["http://auth.test/token", "file:///etc/passwd", ""])
def test_secrets_leave_a_secure_registry_by_tls_alone(realm: str) -> None:
    with pytest.raises(Unavailable, match="no https address"):
        Tokens(("me", "pw"), Server()).answer([Challenge("bearer", {"realm": realm})], [], secure=True)


@pytest.mark.parametrize("answer", [(200, b"{"), (200, b"{}"), (200, b'{"token": "a\\r\\nB: c"}'), (500, b"")])
def test_answer_that_is_no_token_is_refused(answer: tuple[int, bytes]) -> None:
    with pytest.raises(Unavailable, match="cannot get a token from"):
        Tokens(("", ""), Server(*answer)).answer([BEARER], [], secure=True)
