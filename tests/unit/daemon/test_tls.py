from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.http import Wire

from wharf.api.server import ApiServer
from wharf.daemon.configuration import TlsFiles
from wharf.daemon.tls import server_context
from wharf.errors import InvalidArgument

KEYS = Path(__file__).parents[2] / "data/tls"
FILES = TlsFiles(KEYS / "ca.pem", KEYS / "server.pem", KEYS / "server-key.pem")


async def ping(client: str | None) -> int:
    """Ask a server that verifies its clients, with the certificate of ``client``."""
    api = ApiServer(FakeEngine())
    server = await asyncio.get_running_loop().create_server(api.protocols, "127.0.0.1", 0, ssl=server_context(FILES))
    context = ssl.create_default_context(cafile=str(KEYS / "ca.pem"))
    if client is not None:
        context.load_cert_chain(KEYS / f"{client}.pem", KEYS / f"{client}-key.pem")
    try:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=context)
        try:
            return (await Wire(reader, writer).ask("GET", "/_ping")).status
        finally:
            writer.close()
    finally:
        server.close()
        await api.close()


def test_client_with_a_certificate_of_ours_is_served() -> None:
    assert asyncio.run(ping("client")) == 200


@pytest.mark.parametrize("client", ["stranger", None])
def test_client_without_one_is_turned_away(client: str | None) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        asyncio.run(ping(client))


@pytest.mark.parametrize(
    "files",
    [
        TlsFiles(None, KEYS / "nothing.pem", KEYS / "server-key.pem"),
        TlsFiles(None, KEYS / "server.pem", KEYS / "client-key.pem"),
        TlsFiles(KEYS / "server-key.pem", KEYS / "server.pem", KEYS / "server-key.pem"),
    ],
)
def test_files_that_do_not_fit_are_refused(files: TlsFiles) -> None:
    with pytest.raises(InvalidArgument, match="TLS cannot be set up from"):
        server_context(files)
