from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from wharf.engine.logs.formats import Message
from wharf.engine.logs.identity import Identity
from wharf.engine.logs.sinks import Fluentd, Sink, require_reachable, sink_of

BOX = Identity("0" * 64, "box", "img", "sha256:1", "cmd", "2026", "host", "tag")
OUT = Message("out", "stdout", 10**18)
Answer = Callable[[bytes], bytes]


async def _served(answer: Answer, talk: Callable[[int], Awaitable[None]]) -> list[bytes]:
    """Run ``talk`` with the port of a receiver, and return what came there."""
    got: list[bytes] = []
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        while data := await reader.read(65536):
            got.append(data)
            writer.write(answer(data))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        await talk(server.sockets[0].getsockname()[1])
        for _ in range(10):  # a connection that was made is accepted in the loop's next rounds
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await asyncio.gather(*(task for task in serving if task))
    return got


def _nothing(_: bytes) -> bytes:
    return b""


def test_a_stream_is_connected_once() -> None:
    async def talk(port: int) -> None:
        sink = sink_of("syslog", BOX, {"syslog-address": f"tcp://127.0.0.1:{port}", "syslog-format": "rfc5424"})
        await sink.send(OUT)
        await sink.send(OUT)
        await sink.end()

    got = b"".join(asyncio.run(_served(_nothing, talk)))

    assert got.count(b" tag - out") == 2


def test_gelf_ends_each_document_with_a_zero() -> None:
    async def talk(port: int) -> None:
        sink = sink_of("gelf", BOX, {"gelf-address": f"tcp://127.0.0.1:{port}"})
        await sink.send(OUT)
        await sink.send(Message("", "stdout", 0))
        await sink.end()

    got = b"".join(asyncio.run(_served(_nothing, talk)))

    assert (got.count(b"\0"), got[-1:]) == (1, b"\0")


def _fluentd(port: int) -> Sink:
    return sink_of("fluentd", BOX, {"fluentd-address": f"127.0.0.1:{port}", "fluentd-request-ack": "true"})


def test_connection_to_fluentd_is_made_anew_when_its_time_is_over() -> None:
    connected: list[int] = []

    async def talk(port: int) -> None:
        options = {"fluentd-async": "true", "fluentd-async-reconnect-interval": "10s"}
        sink = Fluentd(BOX, {"fluentd-address": f"127.0.0.1:{port}", **options})
        for until in (None, None, 0.0):
            sink._until = sink._until if until is None else until
            await sink.send(OUT)
            assert sink._line._socket is not None
            connected.append(sink._line._socket.getsockname()[1])
        await sink.end()

    asyncio.run(_served(_nothing, talk))

    first, again, anew = connected
    assert (first == again, first == anew) == (True, False)


def test_fluentd_waits_for_its_acknowledgement() -> None:
    async def talk(port: int) -> None:
        sink = _fluentd(port)
        await sink.send(OUT)
        await sink.end()

    got = asyncio.run(_served(lambda d: msgspec.msgpack.encode({"ack": msgspec.msgpack.decode(d)[3]["chunk"]}), talk))

    assert msgspec.msgpack.decode(got[0])[2]["log"] == "out"


def test_another_acknowledgement_is_a_failure() -> None:
    async def talk(port: int) -> None:
        with pytest.raises(ConnectionResetError):
            await _fluentd(port).send(OUT)

    asyncio.run(_served(lambda _: msgspec.msgpack.encode({"ack": "other"}), talk))


def test_datagrams_over_a_unix_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))

        async def main() -> None:
            sink = sink_of("syslog", BOX, {"syslog-address": f"unixgram://{tmp_path}/log"})
            await sink.send(OUT)
            await sink.end()

        asyncio.run(main())
        assert receiver.recv(1000).endswith(b": out")


def test_a_receiver_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="Connect call failed"):
        asyncio.run(require_reachable(sink_of("fluentd", BOX, {"fluentd-address": "127.0.0.1:1"})))
