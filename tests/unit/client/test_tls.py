from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.client.address import TlsFiles
from wharf.client.client import Client
from wharf.client.errors import EngineUnreachable
from wharf.errors import InvalidArgument

KEYS = Path(__file__).parents[2] / "data/tls"
ANSWER = b"HTTP/1.1 200 OK\r\nApi-Version: 1.55\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"


def files(who: str = "client", *, authority: str = "ca", verify: bool = True) -> TlsFiles:
    paths = (KEYS / f"{name}.pem" for name in (authority, who, f"{who}-key"))
    return TlsFiles(*map(str, paths), verify=verify)


@pytest.fixture
def host() -> Iterator[str]:
    """An engine that answers one ping by TLS, to clients with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(KEYS / "server.pem", KEYS / "server-key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(KEYS / "ca.pem")

    def serve(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            try:
                with context.wrap_socket(client, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(ANSWER)
            except OSError:  # the client did not trust us, or we did not trust it
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(60)


@pytest.mark.parametrize("verify", [True, False])
def test_engine_is_reached_by_tls(host: str, verify: bool) -> None:
    with Client(host, tls=files(verify=verify)) as client:
        assert client.ping() == "1.55"


def test_engine_that_is_not_whom_we_trust_is_not_spoken_to(host: str) -> None:
    with (
        Client(host, tls=files(authority="stranger")) as client,
        pytest.raises(EngineUnreachable, match="certificate"),
    ):
        client.ping()


def test_files_that_cannot_be_used_are_named(host: str) -> None:
    with Client(host, tls=files("nobody")) as client, pytest.raises(InvalidArgument, match=r"nobody\.pem"):
        client.ping()
    with Client(host, tls=files()) as client:
        client.ping()
