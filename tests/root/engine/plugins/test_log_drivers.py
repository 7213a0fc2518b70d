"""Log plugins that are installed: lines go to them, come back from them, and none is lost when they end."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.root.engine.plugins import made
from tests.root.wharfd import until

import wharf
from wharf.engine.logs.entries import Unpacker
from wharf.errors import Conflict, InvalidArgument, WharfError
from wharf.lib.stdcopy import Demultiplexer
from wharf.spec.engine_api.container import CreateContainer
from wharf.storage.layout import run_root_of

pytestmark = pytest.mark.root


def _box(script: str, driver: str = "keeper", **options: str) -> CreateContainer:
    return {
        "Image": "busybox",
        "Cmd": ["sh", "-c", script],
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": driver, "Config": options}},
    }


async def _read(engine: wharf.Engine, name: str) -> bytes:
    chunks = [chunk async for chunk in await engine.containers.logs(name, timestamps=False)]
    return b"".join(data for _, data in Demultiplexer().feed(b"".join(chunks)))


def test_lines_reach_a_plugin_whatever_becomes_of_it_and_are_read_back_from_it(root: Path, tmp_path: Path) -> None:
    config = made.config(interface={"types": ["docker.logdriver/1.0"], "socket": "keeper.sock"})
    gate = tmp_path / "gate"
    gate.mkdir()
    script = "echo a; until [ -e /gate/open ]; do sleep 0.02; done; echo b"

    async def main() -> None:
        async with wharf.Engine(root) as engine:
            with pytest.raises(InvalidArgument, match='looking up logging plugin none-such: plugin "none-such" not'):
                await engine.containers.create(_box("true", "none-such"))
            await engine.plugins.create("keeper", made.chunks(made.archive(config)))
            with pytest.raises(InvalidArgument, match="plugin keeper:latest found but disabled"):
                await engine.containers.create(_box("true"))
            await engine.plugins.enable("keeper")
            await engine.containers.create(_box("true", refuse="1"), name="refused")
            with pytest.raises(WharfError, match=r"failed to initialize logging driver: .*: a refusal"):
                await engine.containers.start("refused")

            request = _box(script)
            request["HostConfig"]["Binds"] = [f"{gate}:/gate:ro"]
            box = (await engine.containers.create(request, name="box"))["Id"]
            await engine.containers.start("box")
            (plugin,) = await engine.plugins.list()
            kept = root / "plugins" / plugin["Id"] / "propagated-mount" / f"{box}.log"
            await asyncio.to_thread(until, lambda: kept.exists() and _lines(kept) == [b"a"])
            with pytest.raises(Conflict, match="plugin keeper:latest is in use"):
                await engine.plugins.disable("keeper")

            os.kill(made.running(root)[0], signal.SIGKILL)
            (gate / "open").touch()
            await asyncio.to_thread(until, lambda: _lines(kept) == [b"a", b"b"])
            await engine.containers.wait("box")
            assert await _read(engine, "box") == b"ab"  # as the plugin tells it: without newlines
            streams = run_root_of(root).plugin_streams(plugin["Id"])
            await asyncio.to_thread(until, lambda: not [*streams.iterdir()])

            await engine.plugins.disable("keeper")
            assert await _read(engine, "box") == b"a\nb\n"  # as it is here
            for name in ("box", "refused"):
                await engine.containers.remove(name)
            await engine.plugins.remove("keeper")

    asyncio.run(main())


def _lines(kept: Path) -> list[bytes]:
    return [entry.line for entry in Unpacker().feed(kept.read_bytes())]
