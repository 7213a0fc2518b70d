from __future__ import annotations

import base64
import json

import pytest

from wharf.errors import InvalidArgument
from wharf.images.registry.credentials import ANONYMOUS, Credentials, parse_registry_auth


def header(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ANONYMOUS),
        ("e30=", ANONYMOUS),
        ("e30", ANONYMOUS),
        (header({"username": "u", "password": "p?~"}), Credentials("u", "p?~")),
        (header({"username": "u", "password": "p?~"}).rstrip("="), Credentials("u", "p?~")),
        (header({"auth": base64.b64encode(b"u:p:q").decode()}), Credentials("u", "p:q")),
        (header({"identitytoken": "t", "serveraddress": "s"}), Credentials(identity_token="t", server="s")),
        (header({"registrytoken": "t"}), Credentials(registry_token="t")),
    ],
)
def test_a_header_says_who_asks(text: str, expected: Credentials) -> None:
    assert parse_registry_auth(text) == expected


@pytest.mark.parametrize("text", ["!", "AAAA", "FOO", header([1])])
def test_a_header_that_says_nothing_is_nobodys_and_is_told_of(text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert parse_registry_auth(text) is ANONYMOUS
    assert text not in caplog.text
    assert "X-Registry-Auth" in caplog.text


def test_a_malformed_name_and_password_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="auth is not base64"):
        parse_registry_auth(header({"auth": "x"}))


def test_secrets_are_not_printed() -> None:
    assert "secret" not in repr(Credentials("u", "secret", "secret", "secret"))


def test_nobody_is_false() -> None:
    assert not ANONYMOUS
    assert Credentials("u")
