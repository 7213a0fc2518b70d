from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.http import Wire

from wharf.api.server import ApiServer
from wharf.daemon.configuration import TlsFiles
from wharf.daemon.tls import server_context
from wharf.daemon.tls_server import TlsServer

KEYS = Path(__file__).parents[2] / "data/tls"
FILES = TlsFiles(KEYS / "ca.pem", KEYS / "server.pem", KEYS / "server-key.pem")


@asynccontextmanager
async def served(engine: FakeEngine | None = None) -> AsyncIterator[tuple[str, int]]:
    """An API whose clients are verified, and its address."""
    api = ApiServer(engine or FakeEngine())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = TlsServer(listener, server_context(FILES), api.protocols)
        try:
            yield listener.getsockname()
        finally:
            server.close()
            await api.close()


def identity(client: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(KEYS / "ca.pem"))
    if client is not None:
        context.load_cert_chain(KEYS / f"{client}.pem", KEYS / f"{client}-key.pem")
    return context


async def ping(client: str | None, fields: str = "", engine: FakeEngine | None = None) -> int:
    """Ask with the certificate of ``client``."""
    async with asyncio.timeout(60), served(engine) as address:
        reader, writer = await asyncio.open_connection(*address, ssl=identity(client))
        try:
            return (await Wire(reader, writer).ask("GET", "/_ping", fields=fields)).status
        finally:
            writer.close()


def test_client_with_a_certificate_of_ours_is_served() -> None:
    assert asyncio.run(ping("client")) == 200


@pytest.mark.parametrize("client", ["stranger", None])
def test_client_without_one_is_turned_away(client: str | None) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        asyncio.run(ping(client))


def test_web_page_is_refused_by_tls_too() -> None:
    assert asyncio.run(ping("client", fields="Origin: http://example.com\r\n")) == 403


def test_client_that_speaks_no_tls_is_hung_up_on() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(60), served() as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert not asyncio.run(run()).startswith(b"HTTP")


def test_plugins_are_told_who_the_client_is_by_its_certificate() -> None:
    engine = FakeEngine()
    engine.authorization.wanted = True  # type: ignore[attr-defined]  # what is no call
    asyncio.run(ping("client", engine=engine))

    (asked,) = (arguments[0] for name, arguments, _ in engine.calls if name == "authorization.request")
    assert (asked["User"], asked["UserAuthNMethod"]) == ("client", "TLS")
