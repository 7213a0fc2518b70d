from __future__ import annotations

import asyncio
import base64
import json

import pytest

from wharf.engine.builds.pulling import registry_config
from wharf.errors import InvalidArgument
from wharf.images.registry.credentials import ANONYMOUS, Credentials


def _header(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def test_each_registry_is_asked_with_its_own_credentials() -> None:
    ask = registry_config(
        _header(
            {
                "https://index.docker.io/v1/": {"username": "me", "password": "p"},
                "host:5000": {"identitytoken": "t"},
            }
        )
    )

    async def asked() -> list[Credentials]:
        return [await ask(domain) for domain in ("docker.io", "host:5000", "quay.io")]

    assert asyncio.run(asked()) == [Credentials("me", "p"), Credentials(identity_token="t"), ANONYMOUS]


def test_a_header_of_null_knows_nobody() -> None:
    """As Docker's Go client sends it for a build without credentials."""
    assert asyncio.run(registry_config(_header(None))("docker.io")) == ANONYMOUS


@pytest.mark.parametrize("header", ["!", _header([]), _header({"a": 1}), "e"])
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid X-Registry-Config header"):
        registry_config(header)
