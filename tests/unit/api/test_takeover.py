from __future__ import annotations

import asyncio
import socket

import pytest
from tests.fakes.engine import FakeStream, frame
from tests.fakes.http import Served, Wire, scenario, serving, until

from wharf.api import takeover
from wharf.api.takeover import reframing
from wharf.errors import InvalidArgument, NotFound

UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"


def attach(fields: str = UPGRADE, rest: bytes = b"") -> bytes:
    head = f"POST /v1.43/containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\n{fields}\r\n"
    return head.encode() + rest


async def far_read(stream: FakeStream) -> bytes:
    return await asyncio.get_running_loop().sock_recv(stream.far, 65536)


async def opened(
    served: Served, wire: Wire, request: bytes, *, tty: bool = False
) -> tuple[FakeStream, str, dict[str, str]]:
    stream = served.stream(tty=tty)
    served.engine.containers.answers["attach"] = stream
    await wire.send(request)
    return (stream, *await wire.head())


@scenario
async def test_attach_of_an_unknown_container_is_a_plain_404_that_closes(served: Served) -> None:
    served.engine.containers.answers["attach"] = NotFound("No such container: web")
    async with served.wire() as wire:
        await wire.send(attach())
        first, headers = await wire.head()
        body = await wire.body(headers)

        assert (first, body, await wire.reader.read()) == (
            "HTTP/1.1 404 Not Found",
            b'{"message":"No such container: web"}\n',
            b"",
        )


@scenario
async def test_attach_with_upgrade_switches_protocols_and_carries_frames(served: Served) -> None:
    async with served.wire() as wire:
        stream, first, headers = await opened(served, wire, attach())
        stream.far.send(frame(1, b"hi\n"))
        got = await wire.reader.readexactly(11)
        await wire.send(b"stdin")

        assert (first, headers["content-type"], headers["upgrade"], got, await far_read(stream)) == (
            "HTTP/1.1 101 UPGRADED",
            "application/vnd.docker.multiplexed-stream",
            "tcp",
            frame(1, b"hi\n"),
            b"stdin",
        )
        stream.far.close()


@scenario
async def test_attach_without_upgrade_is_called_raw_though_frames_come(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, headers = await opened(served, wire, attach(fields=""))
        stream.far.close()

        assert headers["content-type"] == "application/vnd.docker.raw-stream"


@scenario
async def test_attach_without_upgrade_is_answered_200_with_a_raw_stream(served: Served) -> None:
    async with served.wire() as wire:
        stream, first, headers = await opened(served, wire, attach(fields=""), tty=True)
        stream.far.send(b"$ ")
        stream.far.close()

        assert (first, headers["content-type"], await wire.reader.read()) == (
            "HTTP/1.1 200 OK",
            "application/vnd.docker.raw-stream",
            b"$ ",
        )


@pytest.mark.parametrize("fields", [UPGRADE, ""])
def test_bytes_that_came_with_the_request_reach_stdin(fields: str) -> None:
    @scenario
    async def run(served: Served) -> None:
        async with served.wire() as wire:
            stream, _, _ = await opened(served, wire, attach(fields, b"GET / HTTP/1.1\r\n\r\nearly\n"))

            assert await far_read(stream) == b"GET / HTTP/1.1\r\n\r\nearly\n"
            stream.far.close()

    run()


@scenario
async def test_end_of_the_clients_bytes_ends_stdin_and_output_goes_on(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach())
        await wire.send(b"all")
        wire.writer.write_eof()
        stdin = [await far_read(stream), await far_read(stream)]
        stream.far.send(frame(1, b"done"))
        stream.far.close()

        assert (stdin, await wire.reader.read()) == ([b"all", b""], frame(1, b"done"))


@scenario
async def test_half_close_is_respected_over_tcp_too(served: Served) -> None:
    async with served.wire(tcp=True) as wire:
        stream, _, _ = await opened(served, wire, attach(rest=b"all"))
        wire.writer.write_eof()
        stdin = [await far_read(stream), await far_read(stream)]
        stream.far.send(frame(1, b"done"))
        stream.far.close()

        assert (stdin, await wire.reader.read()) == ([b"all", b""], frame(1, b"done"))


@scenario
async def test_end_of_output_closes_the_connection(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach())
        stream.far.close()

        assert await wire.reader.read() == b""


@scenario
async def test_client_that_disconnects_closes_the_socket(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach())
        wire.writer.transport.abort()

        assert await far_read(stream) == b""
    await until(lambda: stream.socket.fileno() == -1)


@scenario
async def test_bytes_of_a_client_that_sends_and_leaves_reach_stdin(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach())
        wire.writer.write(b"fire and forget")
        wire.writer.close()

        assert [await far_read(stream), await far_read(stream)] == [b"fire and forget", b""]
    await until(lambda: stream.socket.fileno() == -1)


@scenario
async def test_megabytes_pass_both_ways_at_once_with_slow_ends(served: Served) -> None:
    size = 8 * 1024 * 1024
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach(), tty=True)
        loop = asyncio.get_running_loop()

        async def echo() -> None:
            while data := await far_read(stream):
                await loop.sock_sendall(stream.far, data)
            stream.far.close()

        async def feed() -> None:
            await wire.send(bytes(size))
            wire.writer.write_eof()

        _, _, got = await asyncio.gather(echo(), feed(), wire.reader.read())

        assert len(got) == size


@scenario
async def test_process_that_closed_its_stdin_does_not_block_the_client(served: Served) -> None:
    async with served.wire() as wire:
        stream, _, _ = await opened(served, wire, attach())
        stream.far.shutdown(socket.SHUT_RD)
        await wire.send(bytes(4 * 1024 * 1024))
        stream.far.send(frame(1, b"still here"))
        stream.far.close()

        assert await wire.reader.read() == frame(1, b"still here")


@scenario
async def test_attach_works_on_a_connection_that_was_kept_alive(served: Served) -> None:
    async with served.wire() as wire:
        await wire.ask("GET", "/_ping")
        await wire.ask("POST", "/containers/web/start")
        stream, first, _ = await opened(served, wire, attach(rest=b"x"))

        assert (first, await far_read(stream)) == ("HTTP/1.1 101 UPGRADED", b"x")
        stream.far.close()


@scenario
async def test_exec_start_reads_its_body_and_then_carries_the_rest(served: Served) -> None:
    stream = served.stream()
    served.engine.execs.answers["start"] = stream
    body = b'{"Detach":false,"Tty":false}'
    head = f"POST /exec/e1/start HTTP/1.1\r\nHost: d\r\n{UPGRADE}Content-Type: application/json\r\n"
    async with served.wire() as wire:
        for part in (f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body[:9], body[9:] + b"stdin"):
            await wire.send(part)
            await asyncio.sleep(0.01)
        first, _ = await wire.head()

        assert (first, await far_read(stream), served.engine.calls) == (
            "HTTP/1.1 101 UPGRADED",
            b"stdin",
            [
                ("execs.inspect", ("e1",), {}),
                ("execs.start", ("e1",), {"detach": False, "tty": False, "console_size": None}),
            ],
        )
        stream.far.close()


@scenario
async def test_exec_is_announced_before_it_starts(served: Served) -> None:
    stream, may_start = served.stream(), asyncio.Event()

    async def start(*_: object, **__: object) -> object:
        await may_start.wait()
        return stream

    served.engine.execs.answers["start"] = start
    async with served.wire() as wire:
        await wire.send(EXEC)
        first, _ = await wire.head()
        may_start.set()
        await asyncio.get_running_loop().sock_sendall(stream.far, frame(2, b"out"))
        stream.far.close()

        assert (first, await wire.reader.read()) == ("HTTP/1.1 101 UPGRADED", frame(2, b"out"))


@pytest.mark.parametrize(
    ("given_raw", "wanted_raw", "given", "sent"),
    [
        (False, False, frame(2, b"x"), frame(2, b"x")),
        (True, True, b"x", b"x"),
        (True, False, b"x", frame(1, b"x")),
        (False, True, frame(1, b"x") + frame(2, b"y") + frame(1, b"z"), b"xz"),
    ],
)
def test_output_has_the_form_that_the_start_asked_for(
    given_raw: bool, wanted_raw: bool, given: bytes, sent: bytes
) -> None:
    assert reframing(given_raw=given_raw, wanted_raw=wanted_raw)(given) == sent


_DOCUMENT = "Content-Type: application/json\r\n"
EXEC = f"POST /exec/e1/start HTTP/1.1\r\nHost: d\r\n{UPGRADE}{_DOCUMENT}Content-Length: 2\r\n\r\n{{}}".encode()


@scenario
async def test_exec_that_cannot_start_says_so_as_output(served: Served) -> None:
    served.engine.execs.answers["start"] = InvalidArgument("OCI runtime exec failed: no")
    async with served.wire() as wire:
        await wire.send(EXEC)
        first, _ = await wire.head()

        assert (first, await wire.reader.read()) == (
            "HTTP/1.1 101 UPGRADED",
            frame(1, b"OCI runtime exec failed: no\r\n"),
        )


async def late_reads(served: Served, request: bytes) -> list[bytes]:
    """Return what each read of a client gets that comes late to its first one, as a busy machine lets it."""
    loop, reads = asyncio.get_running_loop(), list[bytes]()
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        await loop.sock_connect(client, str(served.path))
        await loop.sock_sendall(client, request)
        await asyncio.sleep(0.1)
        while data := await loop.sock_recv(client, 65536):
            reads.append(data)
    return reads


@scenario
async def test_first_output_waits_until_the_client_has_read_the_head(served: Served) -> None:
    stream = served.stream(tty=True)
    served.engine.execs.answers["start"] = stream
    stream.far.send(b"first\r\n")
    stream.far.close()
    head, *output = await late_reads(served, EXEC.replace(b"2\r\n\r\n{}", b'12\r\n\r\n{"Tty":true}'))

    assert (head[-4:], b"".join(output)) == (b"\r\n\r\n", b"first\r\n")


@scenario
async def test_why_an_exec_cannot_start_waits_until_the_client_has_read_the_head(served: Served) -> None:
    served.engine.execs.answers["start"] = InvalidArgument("no")
    head, *output = await late_reads(served, EXEC)

    assert (head[-4:], b"".join(output)) == (b"\r\n\r\n", frame(1, b"no\r\n"))


def test_output_does_not_wait_for_ever_for_a_client_that_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "HEAD_READ_S", 0.02)

    @scenario
    async def run(served: Served) -> None:
        stream = served.stream()
        served.engine.execs.answers["start"] = stream
        stream.far.send(frame(1, b"out"))
        stream.far.close()

        assert (await late_reads(served, EXEC))[0].endswith(frame(1, b"out"))

    run()


@scenario
async def test_exec_that_does_not_exist_is_a_404(served: Served) -> None:
    served.engine.execs.answers["inspect"] = NotFound("No such exec instance: e1")
    async with served.wire() as wire:
        await wire.send(EXEC)

        assert (await wire.head())[0] == "HTTP/1.1 404 Not Found"


@scenario
async def test_detached_exec_that_cannot_start_is_a_plain_error(served: Served) -> None:
    served.engine.execs.answers["start"] = InvalidArgument("no")
    answer = await served.ask("POST", "/exec/e1/start", {"Detach": True})

    assert (answer.status, answer.json) == (400, {"message": "no"})


@scenario
async def test_exec_start_gives_a_terminals_size_on(served: Served) -> None:
    sized = {"Tty": True, "ConsoleSize": [33, 77], "Detach": True}
    assert (await served.ask("POST", "/v1.42/exec/e1/start", sized)).status == 200
    assert (await served.ask("POST", "/v1.41/exec/e1/start", sized)).status == 200
    refused = await served.ask("POST", "/exec/e1/start", {**sized, "Tty": False})

    assert [call[2]["console_size"] for call in served.engine.calls] == [[33, 77], None]
    assert refused.json == {"message": "console size is only supported when TTY is enabled"}


@scenario
async def test_detached_exec_is_answered_without_a_stream(served: Served) -> None:
    answer = await served.ask("POST", "/exec/e1/start", {"Detach": True}, fields=UPGRADE)

    assert (answer.status, answer.body) == (200, b"")


def test_server_that_closes_ends_attached_streams() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(60), serving() as served, served.wire() as wire:
            stream, _, _ = await opened(served, wire, attach())
            await served.server.close()
            assert await far_read(stream) == b""
            return await wire.reader.read()

    assert asyncio.run(run()) == b""
