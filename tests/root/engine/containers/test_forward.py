from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

import wharf
from wharf.errors import WharfError
from wharf.spec.engine_api.container import CreateContainer

pytestmark = pytest.mark.root


def _box(script: str, port: int, **options: str) -> CreateContainer:
    address = {"syslog-address": f"tcp://127.0.0.1:{port}", "syslog-format": "rfc3164", **options}
    return {
        "Image": "busybox",
        "Cmd": ["sh", "-c", script],
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "syslog", "Config": address}},
    }


class Receiver:
    """A syslog daemon that can go and come back on the same port, and read nothing for a while."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port = 0
        self.reads = asyncio.Event()
        self.reads.set()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: list[asyncio.Task[None]] = []

    async def listen(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # so that little finds room in sockets
        self._server = await asyncio.start_server(self._serve, sock=listening)
        self.port = listening.getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._serving.append(cast("asyncio.Task[None]", asyncio.current_task()))
        await self.reads.wait()
        with suppress(ConnectionError):
            async for line in reader:
                self.lines.append(line.decode().rpartition(": ")[2].strip())
        writer.close()

    async def until(self, line: str) -> None:
        async with asyncio.timeout(60):
            while line not in self.lines:  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self.reads.set()
        await asyncio.gather(*self._serving)


async def _remove(engine: wharf.Engine) -> None:
    for container in await engine.containers.list(all=True):
        await engine.containers.remove(container["Id"] or "", force=True)


def test_lines_arrive_in_order_and_can_be_read_here_too(root: Path) -> None:
    async def main() -> None:
        receiver = Receiver()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            await engine.containers.create(_box("echo a; echo b; echo c", receiver.port), name="box")
            await engine.containers.start("box")
            await receiver.until("c")
            read = b"".join([chunk async for chunk in await engine.containers.logs("box", timestamps=False)])
            await _remove(engine)
        await receiver.close()
        assert receiver.lines == ["a", "b", "c"]
        assert b"a\n" in read

    asyncio.run(main())


def test_what_was_written_while_no_engine_ran_is_delivered_by_the_next(root: Path, tmp_path: Path) -> None:
    (gate := tmp_path / "gate").mkdir()

    async def main() -> None:
        receiver = Receiver()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            script = "echo first; until [ -e /gate/go ]; do sleep 0.05; done; echo second; touch /gate/gone"
            document = _box(script, receiver.port)
            document["HostConfig"]["Binds"] = [f"{gate}:/gate"]  # type: ignore[index]
            await engine.containers.create(document, name="box")
            await engine.containers.start("box")
            await receiver.until("first")
        (gate / "go").touch()
        async with asyncio.timeout(60):
            while not (gate / "gone").exists():  # noqa: ASYNC110  # nothing announces it
                await asyncio.sleep(0.02)
        assert receiver.lines == ["first"]
        async with wharf.Engine(root) as engine:
            await receiver.until("second")
            await _remove(engine)
        await receiver.close()
        assert receiver.lines == ["first", "second"]

    asyncio.run(main())


def test_a_container_that_is_removed_at_its_end_has_its_lines_delivered(root: Path) -> None:
    async def main() -> None:
        receiver = Receiver()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            document = _box("seq 1 500", receiver.port)
            document["HostConfig"]["AutoRemove"] = True  # type: ignore[index]
            await engine.containers.create(document, name="box")
            gone = await engine.containers.wait("box", condition="removed")
            await engine.containers.start("box")
            await gone
            await receiver.until("500")
        await receiver.close()
        assert receiver.lines == [str(n) for n in range(1, 501)]

    asyncio.run(main())


def test_a_container_whose_receiver_is_not_there_does_not_start(root: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    async def main() -> None:
        async with wharf.Engine(root) as engine:
            await engine.containers.create(_box("true", port), name="box")
            refused = (
                rf"failed to initialize logging driver: dial tcp 127\.0\.0\.1:{port}: connect: connection refused"
            )
            with pytest.raises(WharfError, match=refused):
                await engine.containers.start("box")
            await _remove(engine)

    asyncio.run(main())


# 12 MB, of which some 4 find room in sockets and 400 kB in the file
_MUCH = """awk 'BEGIN { s = sprintf("%8000s", ""); for (i = 1; i <= 1500; i++) print i s; }'"""
_SMALL = {"cache-max-size": "100k", "cache-max-file": "3"}


async def _waits(engine: wharf.Engine, container_id: str) -> None:
    """Wait until the container does: its log, which holds what nobody has taken, grows no more."""
    shim = engine.containers._context.registry.resolve(container_id).shim
    assert shim is not None
    async with asyncio.timeout(60):
        while not (await shim._channel.request("delivered"))["held"]:  # noqa: ASYNC110  # nothing announces it
            await asyncio.sleep(0.01)


def test_nothing_is_lost_while_a_receiver_reads_nothing_and_engines_come_and_go(root: Path) -> None:
    async def main() -> None:
        receiver = Receiver()
        receiver.reads.clear()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            await engine.containers.create(_box(_MUCH, receiver.port, **_SMALL), name="box")
            await engine.containers.start("box")
            await _waits(engine, "box")
            read = [chunk async for chunk in await engine.containers.logs("box", tail="1")]
        async with wharf.Engine(root) as engine:
            # What the first one had sent is sent again, and then it does not go on either.
            await _waits(engine, "box")
            ended = await engine.containers.wait("box")
            receiver.reads.set()
            assert (await ended)["StatusCode"] == 0
            for number in range(1, 1501):  # of two connections, which come at the same time
                await receiver.until(str(number))
            await _remove(engine)
        await receiver.close()
        assert read

    asyncio.run(main())


def test_a_container_that_waits_for_its_receiver_is_killed_and_removed_all_the_same(root: Path) -> None:
    async def main() -> None:
        receiver = Receiver()
        receiver.reads.clear()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            await engine.containers.create(_box(_MUCH, receiver.port, **_SMALL), name="box")
            await engine.containers.start("box")
            await _waits(engine, "box")
            ended = await engine.containers.wait("box")
            await engine.containers.kill("box", signal="SIGKILL")
            assert (await ended)["StatusCode"] == 137
            await engine.containers.remove("box")
        await receiver.close()

    asyncio.run(main())


def test_a_container_that_is_not_to_wait_ends_and_its_receiver_misses_the_oldest_lines(root: Path) -> None:
    async def main() -> None:
        receiver = Receiver()
        receiver.reads.clear()
        await receiver.listen()
        async with wharf.Engine(root) as engine:
            chosen = {**_SMALL, "mode": "non-blocking", "max-buffer-size": "50k"}
            await engine.containers.create(_box(_MUCH, receiver.port, **chosen), name="box")
            await engine.containers.start("box")
            ended = await engine.containers.wait("box")
            assert (await ended)["StatusCode"] == 0
            receiver.reads.set()
            await receiver.until("1500")
            await _remove(engine)
        await receiver.close()
        numbers = list(map(int, receiver.lines))
        assert numbers == sorted(numbers)
        assert len(numbers) < 1500

    asyncio.run(main())
