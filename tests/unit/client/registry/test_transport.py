from __future__ import annotations

import pytest
from tests.fakes.http_registry import HttpRegistry, http_registry

from wharf.client.registry.transport import Transport, is_loopback, read_whole
from wharf.errors import Unavailable

NOBODY = {"DOCKER_CONFIG": "/nonexistent"}


def test_challenge_is_met_once_and_the_token_used_from_then_on(registry: HttpRegistry) -> None:
    realm = f'Bearer realm="http://{registry.address}/token",service="reg"'
    for status in (401, 200):
        registry.says("GET /v2/a", status, b"x", WWW_Authenticate=realm)
    registry.says("GET /token?service=reg&scope=s", 200, b'{"token": "T"}')
    transport = Transport(registry.address, NOBODY)

    for _ in range(2):
        with transport.request("GET", "/v2/a", ["s"]) as response:
            assert (response.status, read_whole(response)) == (200, b"x")
    assert registry.asked == [
        ("GET /v2/a", ""), ("GET /token?service=reg&scope=s", ""), ("GET /v2/a", "Bearer T"),
        ("GET /v2/a", "Bearer T"),
    ]  # fmt: skip


def test_token_does_not_follow_a_redirect_to_another_place(registry: HttpRegistry) -> None:
    with http_registry() as other:
        realm = f'Bearer realm="http://{registry.address}/token"'
        registry.says("GET /a", 401, WWW_Authenticate=realm)
        registry.says("GET /a", 307, Location=f"http://{other.address}/b")
        registry.says("GET /token?scope=s", 200, b'{"token": "T"}')
        other.says("GET /b", 200, b"data")

        with Transport(registry.address, NOBODY).request("GET", "/a", ["s"]) as response:
            assert read_whole(response) == b"data"
        assert other.asked == [("GET /b", "")]


def test_a_registry_on_loopback_may_speak_tls_with_any_certificate() -> None:
    with http_registry(tls=True) as secure, http_registry() as plain:
        secure.says("GET /v2/a", 401, WWW_Authenticate=f'Bearer realm="http://{plain.address}/token"')
        secure.says("GET /v2/b", 200, b"b")
        transport = Transport(secure.address, NOBODY)

        with transport.request("GET", "/v2/b", []) as response:
            assert read_whole(response) == b"b"
        with (
            pytest.raises(Unavailable, match="no https address"),  # what it has by TLS it does not tell without
            transport.request("GET", "/v2/a", ["s"]),
        ):
            pass
        assert plain.asked == []


def test_any_certificate_is_good_on_loopback_alone() -> None:
    with http_registry(tls=True) as registry:
        transport = Transport("registry.test", NOBODY)
        registry.says("GET /a", 200, b"a")

        with (
            pytest.raises(Unavailable, match="certificate verify failed"),
            transport.request("GET", f"https://{registry.address}/a", []),
        ):
            pass


def test_redirects_end_somewhere(registry: HttpRegistry) -> None:
    registry.says("GET /a", 302, Location="/a")

    with Transport(registry.address, NOBODY).request("GET", "/a", []) as response:
        assert response.status == 302
    assert len(registry.asked) == 6


def test_what_cannot_be_reached_or_is_too_large_is_told(registry: HttpRegistry) -> None:
    registry.says("GET /a", 200, b"12345")
    with (
        Transport(registry.address, NOBODY).request("GET", "/a", []) as response,
        pytest.raises(Unavailable, match="more than 4 bytes"),
    ):
        read_whole(response, 4)
    with (
        pytest.raises(Unavailable, match="cannot ask the registry"),
        Transport("127.0.0.1:1", NOBODY).request("GET", "/a", []),
    ):
        pass


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost:5000", True), ("127.0.0.1", True), ("[::1]:5000", True), ("127.evil.test", False)],
)  # fmt: skip
def test_plain_http_is_spoken_on_this_machine_alone(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
