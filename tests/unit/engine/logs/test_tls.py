from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from wharf.engine.logs.formats import Message
from wharf.engine.logs.identity import Identity
from wharf.engine.logs.options import check
from wharf.engine.logs.sinks import sink_of
from wharf.engine.logs.tls import context_of
from wharf.errors import InvalidArgument

KEYS = Path(__file__).parents[3] / "data/tls"
BOX = Identity("0" * 64, "box", "img", "sha256:1", "cmd", "2026", "host", "tag")
OUT = Message("out", "stdout", 10**18)


def received(**options: str) -> bytes:
    """Send one message to a receiver that wants a certificate of ours, and return what came there."""

    async def main() -> bytes:
        got = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            data = await reader.readuntil(b"\n")
            got.set_result(data)
            writer.close()

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(KEYS / "ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(KEYS / "server.pem", KEYS / "server-key.pem")
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            given = {name.replace("_", "-"): value for name, value in options.items()}
            sink = sink_of("syslog", BOX, {"syslog-address": f"tcp+tls://127.0.0.1:{port}", **given})
            await sink.send(OUT)
            async with asyncio.timeout(60):
                data: bytes = await got
            sink.close()
            return data

    return asyncio.run(main())


OURS = {
    "syslog_tls_cert": str(KEYS / "client.pem"),
    "syslog_tls_key": str(KEYS / "client-key.pem"),
}


@pytest.mark.parametrize("trust", [{"syslog_tls_ca_cert": str(KEYS / "ca.pem")}, {"syslog_tls_skip_verify": "true"}])
def test_messages_go_to_a_receiver_that_both_trust(trust: dict[str, str]) -> None:
    assert received(**OURS, **trust).endswith(b"out\n")


def test_a_receiver_that_nobody_vouches_for_gets_nothing() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        received(**OURS)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"syslog-tls-cert": "/x"}, "go together"),
        ({"syslog-tls-ca-cert": "/no/such"}, "certificates of the syslog driver"),
    ],
)
def test_certificates_that_are_none_are_refused(options: dict[str, str], fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault):
        context_of(options)


def test_options_of_tls_need_an_address_of_it() -> None:
    with pytest.raises(InvalidArgument, match="tcp\\+tls:// only"):
        check("syslog", {"syslog-address": "tcp://h", "syslog-tls-skip-verify": "true"})
    check("syslog", {"syslog-address": "tcp+tls://h", "syslog-tls-skip-verify": "true"})
