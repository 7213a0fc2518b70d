from __future__ import annotations

from tests.fakes.http import Served, Wire, scenario

from wharf.api.takeover import ClientLink

UPGRADE = "Connection: Upgrade\r\nUpgrade: h2c\r\n"


def request(path: str, fields: str = UPGRADE, rest: bytes = b"") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: d\r\n{fields}\r\n".encode() + rest


async def _echo(served: Served, link: ClientLink) -> None:
    while data := await link.receive():
        link.write(data.upper())
        await link.drained()


def serve_with_echo(served: Served) -> list[tuple[object, ...]]:
    seen: list[tuple[object, ...]] = []

    async def serve(link: ClientLink) -> None:
        await _echo(served, link)

    async def hold(link: ClientLink, session_id: str, *, shared_key: str, methods: list[str]) -> None:
        seen.append((session_id, shared_key, methods))
        await _echo(served, link)

    served.engine.builds.serve = serve  # type: ignore[attr-defined]
    served.engine.builds.hold_session = hold  # type: ignore[attr-defined]
    return seen


async def switched(wire: Wire) -> str:
    first, headers = await wire.head()
    assert (headers["connection"], headers["upgrade"]) == ("Upgrade", "h2c")
    return first


@scenario
async def test_grpc_takes_the_connection_with_what_came_along(served: Served) -> None:
    serve_with_echo(served)
    async with served.wire() as wire:
        await wire.send(request("/grpc", rest=b"early "))
        assert await switched(wire) == "HTTP/1.1 101 Switching Protocols"
        assert await wire.reader.readexactly(6) == b"EARLY "
        await wire.send(b"late")
        assert await wire.reader.readexactly(4) == b"LATE"


@scenario
async def test_a_session_is_held_with_what_its_client_says_of_it(served: Served) -> None:
    seen = serve_with_echo(served)
    fields = (
        f"{UPGRADE}X-Docker-Expose-Session-Uuid: s1\r\nX-Docker-Expose-Session-Sharedkey: k\r\n"
        "X-Docker-Expose-Session-Grpc-Method: /a/B\r\nX-Docker-Expose-Session-Grpc-Method: /c/D\r\n"
    )
    async with served.wire() as wire:
        await wire.send(request("/v1.50/session", fields))
        await switched(wire)
        await wire.send(b"x")
        assert await wire.reader.readexactly(1) == b"X"

    assert seen == [("s1", "k", ["/a/B", "/c/D"])]


@scenario
async def test_who_asks_for_another_protocol_or_has_no_id_is_refused(served: Served) -> None:
    for path, fields, said in (
        ("/grpc", "", b"no upgrade proto in request"),
        ("/grpc", "Connection: Upgrade\r\nUpgrade: websocket\r\n", b"protocol websocket not supported"),
        ("/session", UPGRADE, b"a session without an id"),
    ):
        async with served.wire() as wire:
            await wire.send(request(path, fields))
            first, headers = await wire.head()
            assert (first, said in await wire.body(headers)) == ("HTTP/1.1 400 Bad Request", True)
