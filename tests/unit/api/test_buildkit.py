from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

from tests.fakes.http import Served, Wire, scenario

from wharf.api.takeover import ClientLink
from wharf.errors import NotFound

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
        ("/session", "", b"no upgrade proto in request"),
        ("/session", UPGRADE, b"a session without an id"),
    ):
        async with served.wire() as wire:
            await wire.send(request(path, fields))
            first, headers = await wire.head()
            assert (first, said in await wire.body(headers)) == ("HTTP/1.1 400 Bad Request", True)


@scenario
async def test_the_connection_itself_is_handed_over_for_folders_that_are_lent(served: Served) -> None:
    lent: list[tuple[str, socket.socket]] = []

    async def lend(session_id: str, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        lent.append((session_id, await connect()))

    served.engine.builds.lend_folders = lend  # type: ignore[attr-defined]
    fields = "Connection: Upgrade\r\nUpgrade: wharf-folders\r\n"
    client = socket.socket(socket.AF_UNIX)
    with client:
        await asyncio.to_thread(client.connect, str(served.path))
        await asyncio.to_thread(client.sendall, request("/v1.50/wharf/sessions/s1/folders", fields))
        assert (await asyncio.to_thread(client.recv, 4096)).startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        [(session_id, connection)] = lent
        with connection:
            socket.send_fds(client, [b"x"], [client.fileno()])
            connection.settimeout(None)
            data, fds, _, _ = await asyncio.to_thread(socket.recv_fds, connection, 1, 1)
            os.close(*fds)
            connection.sendall(b"y")
            assert (session_id, data, client.recv(1)) == ("s1", b"x", b"y")
        assert await asyncio.to_thread(client.recv, 1) == b""  # nobody else has it


@scenario
async def test_folders_are_lent_over_unix_sockets_alone_and_to_sessions_that_are_there(served: Served) -> None:
    async def lend(session_id: str, connect: Callable[[], Awaitable[socket.socket]]) -> None:
        if session_id == "none":
            raise NotFound("no active session for none")
        (await connect()).close()

    served.engine.builds.lend_folders = lend  # type: ignore[attr-defined]
    fields = "Connection: Upgrade\r\nUpgrade: wharf-folders\r\n"
    async with served.wire() as wire:
        await wire.send(request("/wharf/sessions/none/folders", fields))
        assert (await wire.head())[0] == "HTTP/1.1 404 Not Found"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    wire = Wire(reader, writer)
    await wire.send(request("/wharf/sessions/s1/folders", fields))
    assert (await wire.head())[0] == "HTTP/1.1 400 Bad Request"
    writer.close()
