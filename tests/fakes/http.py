"""An API server on a unix socket for a test, and a client that shows every byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from tests.fakes.engine import FakeEngine, FakeStream, stream_pair

from wharf.api.server import ApiServer


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def lines(self) -> list[Any]:
        return [msgspec.json.decode(line) for line in self.body.splitlines()]


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> tuple[str, dict[str, str]]:
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *fields = raw.strip().split("\r\n")
        return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}

    async def body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            whole = b""
            while size := int(await self.reader.readline(), 16):
                whole += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
            return whole
        return await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def ask(
        self, method: str, target: str, doc: object = None, *, body: bytes = b"", fields: str = ""
    ) -> Answer:
        if doc is not None:
            body, fields = msgspec.json.encode(doc), fields + "Content-Type: application/json\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        await self.send(f"{method} {target} HTTP/1.1\r\nHost: docker\r\n{fields}{length}\r\n".encode() + body)
        first, headers = await self.head()
        status = int(first.split()[1])
        return Answer(status, headers, b"" if method == "HEAD" or status in (204, 304) else await self.body(headers))


@dataclass
class Served:
    engine: FakeEngine
    server: ApiServer
    path: Path
    port: int  # the same server on 127.0.0.1
    streams: list[FakeStream] = field(default_factory=list)

    def stream(self, *, tty: bool = False) -> FakeStream:
        """Return an attached stream; both its ends are closed with the server."""
        self.streams.append(stream_pair(tty=tty))
        return self.streams[-1]

    @asynccontextmanager
    async def wire(self, *, tcp: bool = False) -> AsyncIterator[Wire]:
        if tcp:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        else:
            reader, writer = await asyncio.open_unix_connection(self.path)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def ask(
        self, method: str, target: str, doc: object = None, *, body: bytes = b"", fields: str = ""
    ) -> Answer:
        async with self.wire() as wire:
            return await wire.ask(method, target, doc, body=body, fields=fields)


@asynccontextmanager
async def serving(engine: FakeEngine | None = None) -> AsyncIterator[Served]:
    engine = engine or FakeEngine()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "api.sock"
        server = ApiServer(engine)
        listener = await asyncio.get_running_loop().create_unix_server(server.protocols, path)
        ports = await asyncio.get_running_loop().create_server(server.protocols, "127.0.0.1", 0)
        served = Served(engine, server, path, ports.sockets[0].getsockname()[1])
        try:
            yield served
        finally:
            for stream in served.streams:
                stream.far.close()
            listener.close()
            ports.close()
            await server.close(grace_s=1)
            await listener.wait_closed()
            for stream in served.streams:
                stream.socket.close()


def scenario(test: Callable[[Served], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Make a test of an async function that is given a server; one that hangs fails."""

    def run() -> None:
        async def inner() -> None:
            async with asyncio.timeout(60), serving() as served:
                await test(served)

        asyncio.run(inner())

    run.__name__ = test.__name__
    return run


async def until(claim: Callable[[], bool]) -> None:
    """Let the event loop run until ``claim`` is true; the test's own timeout ends a wait in vain."""
    while not claim():  # noqa: ASYNC110  # what is waited for is not ours to signal
        await asyncio.sleep(0.001)
