from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fakes.engine import FakeEngine
from tests.fakes.http import Wire

from wharf.api.server import ApiServer
from wharf.daemon.addresses import UnixAddress
from wharf.daemon.serve import Options, serve
from wharf.engine.options import EngineOptions
from wharf.errors import Forbidden


def options(folder: Path) -> Options:
    return Options(folder / "data", [UnixAddress(folder / "a"), UnixAddress(folder / "b")], pidfile=folder / "pid")


class FakeRunning:
    def __init__(self, engine: FakeEngine) -> None:
        self.api = ApiServer(engine)
        self.protocols = self.metrics = self.api.protocols

    async def reload(self, options: EngineOptions, attributes: Mapping[str, str]) -> None:
        raise AssertionError("nobody reloads")


async def no_reload(running: object) -> None:
    raise AssertionError("nobody reloads")


@asynccontextmanager
async def refusing(options: Options) -> AsyncIterator[FakeRunning]:
    raise Forbidden("not root")
    yield


@asynccontextmanager
async def fake(options: Options) -> AsyncIterator[FakeRunning]:
    running = FakeRunning(FakeEngine())
    try:
        yield running
    finally:
        await running.api.close()


def test_engine_that_does_not_open_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        asyncio.run(serve(options(tmp_path), refusing, no_reload))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_in_order_also_while_a_client_follows(tmp_path: Path, number: signal.Signals) -> None:
    reloads: list[object] = []

    async def reload(running: object) -> None:
        reloads.append(running)

    async def run() -> tuple[int, bytes]:
        opened = asyncio.Event()

        @asynccontextmanager
        async def opening(options: Options) -> AsyncIterator[FakeRunning]:
            async with fake(options) as running:
                engine.system.answers["events"] = [asyncio.get_running_loop().create_future()]
                running.api._backend = engine
                opened.set()
                yield running

        engine = FakeEngine()
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(serve(options(tmp_path), opening, reload))
            await opened.wait()
            reader, writer = await asyncio.open_unix_connection(tmp_path / "b")
            wire = Wire(reader, writer)
            answer = await wire.ask("GET", "/_ping")
            await wire.send(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
            await wire.head()
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), number)
            rest = await reader.read()
            writer.close()
            return answer.status, rest

    assert (asyncio.run(run()), list(tmp_path.iterdir()), len(reloads)) == ((200, b""), [], 1)


def test_client_that_connects_early_waits(tmp_path: Path) -> None:
    async def run() -> int:
        async def early() -> int:
            reader, writer = await asyncio.open_unix_connection(tmp_path / "a")
            answer = await Wire(reader, writer).ask("GET", "/_ping")
            writer.close()
            os.kill(os.getpid(), signal.SIGTERM)
            return answer.status

        clients: list[asyncio.Task[int]] = []

        @asynccontextmanager
        async def slow(options: Options) -> AsyncIterator[FakeRunning]:
            clients.append(asyncio.ensure_future(early()))
            for _ in range(10):
                await asyncio.sleep(0)
            async with fake(options) as running:
                yield running

        async with asyncio.timeout(60):
            await serve(options(tmp_path), slow, no_reload)
            return await clients[0]

    assert asyncio.run(run()) == 200


def test_reload_that_takes_long_holds_up_nobody(tmp_path: Path) -> None:
    async def run() -> int:
        opened, begun = asyncio.Event(), asyncio.Event()

        @asynccontextmanager
        async def opening(options: Options) -> AsyncIterator[FakeRunning]:
            async with fake(options) as running:
                opened.set()
                yield running

        async def slow(running: object) -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(serve(options(tmp_path), opening, slow))
            await opened.wait()
            reader, writer = await asyncio.open_unix_connection(tmp_path / "a")
            wire = Wire(reader, writer)
            await wire.ask("GET", "/_ping")
            os.kill(os.getpid(), signal.SIGHUP)
            await begun.wait()
            answer = await wire.ask("GET", "/_ping")
            writer.close()
            os.kill(os.getpid(), signal.SIGTERM)
            return answer.status

    assert asyncio.run(run()) == 200
