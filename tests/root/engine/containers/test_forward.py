from __future__ import annotations

import asyncio
import socket
from pathlib import Path

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
    """A syslog daemon that can go and come back on the same port."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
            with pytest.raises(WharfError, match="failed to initialize logging driver: syslog: connection refused"):
                await engine.containers.start("box")
            await _remove(engine)

    asyncio.run(main())
