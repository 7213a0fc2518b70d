"""Volumes with options and of plugins, in containers, and what events tell of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

import wharf
from wharf.errors import WharfError
from wharf.volumes import plugins
from wharf.volumes.drivers import is_mounted

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _run(engine: wharf.Engine, script: str, *binds: str) -> str:
    done = await engine.run("busybox", ["sh", "-c", script], host_config={"Binds": list(binds)})
    return f"{done.stdout.decode()}{done.stderr.decode()}"


async def _events(engine: wharf.Engine, name: str) -> list[tuple[str | None, dict[str, str]]]:
    found = []
    async for event in engine.system.events(since="0", until="0s", filters={"type": ["volume"]}):
        actor = event.get("Actor") or {}
        if actor.get("ID") == name:
            found.append((event.get("Action"), actor.get("Attributes") or {}))
    return found


def test_a_volume_in_memory_lives_as_long_as_a_container_has_it(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=7"}
        made = await engine.volumes.create({"Name": "mem", "DriverOpts": options})
        folder = Path(made["Mountpoint"] or "")
        holder = {
            "Image": "busybox",
            "Cmd": ["sleep", "60"],
            "HostConfig": {"Binds": ["mem:/m"], "NetworkMode": "none"},
        }
        created = await engine.containers.create(holder, name="holder")  # type: ignore[arg-type]  # such a request
        await engine.containers.start("holder")

        assert await _run(engine, "df -k /m | tail -1; stat -c %u /m; touch /m/f", "mem:/m") != ""
        assert await _run(engine, "stat -c %u /m; ls /m", "mem:/m") == "7\nf\n"
        assert (made["Options"], is_mounted(folder)) == (options, True)

        await engine.containers.remove("holder", force=True)
        assert is_mounted(folder) is False
        assert await _run(engine, "ls /m", "mem:/m") == ""
        await engine.volumes.remove("mem")

        told = [
            (action, about)
            for action, about in await _events(engine, "mem")
            if about.get("container") == created["Id"]
        ]
        assert told == [
            (
                "mount",
                {
                    "container": created["Id"],
                    "driver": "local",
                    "destination": "/m",
                    "read/write": "true",
                    "propagation": "",
                },
            ),
            ("unmount", {"container": created["Id"], "driver": "local"}),
        ]

    on_engine(body)


def test_a_container_whose_volume_cannot_be_mounted_does_not_start(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        options = {"type": "none", "device": "/nope", "o": "bind"}
        await engine.volumes.create({"Name": "gone", "DriverOpts": options})
        with pytest.raises(WharfError, match="failed to mount local volume"):
            await _run(engine, "true", "gone:/m")
        await engine.volumes.remove("gone")

    on_engine(body)


class _Handler(BaseHTTPRequestHandler):
    server: _Plugin

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(self.path)
        answers = {
            "/Plugin.Activate": {"Implements": ["VolumeDriver"]},
            "/VolumeDriver.Mount": {"Mountpoint": str(self.server.folder)},
            "/VolumeDriver.Get": {"Volume": {"Name": body.get("Name"), "Mountpoint": str(self.server.folder)}},
        }
        raw = json.dumps(answers.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def address_string(self) -> str:
        return "a client"

    def log_message(self, *_: object) -> None:
        pass


class _Plugin(UnixStreamServer):
    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(str(path), _Handler)
        self.folder = folder
        self.asked: list[str] = []


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Plugin]:
    """A plugin called ``mine`` that keeps every volume in one folder."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "kept").mkdir()
    find = plugins.find
    monkeypatch.setattr(plugins, "find", lambda name: find(name, [tmp_path / "plugins"], []))
    server = _Plugin(tmp_path / "plugins/mine.sock", tmp_path / "kept")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_plugins_volume_is_mounted_where_the_plugin_says(on_engine: OnEngine, plugin: _Plugin) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.volumes.create({"Name": "far", "Driver": "mine", "DriverOpts": {"a": "b"}})
        assert await _run(engine, "echo kept > /m/f; cat /m/f", "far:/m:nocopy") == "kept\n"
        shown = await engine.volumes.inspect("far")
        await engine.volumes.remove("far")

        assert ((plugin.folder / "f").read_text(), shown["Driver"]) == ("kept\n", "mine")
        assert shown["Mountpoint"] == str(plugin.folder)
        calls = [path for path in plugin.asked if path not in ("/Plugin.Activate", "/VolumeDriver.Capabilities")]
        assert calls == [
            "/VolumeDriver.Create",
            "/VolumeDriver.Mount",
            "/VolumeDriver.Unmount",
            "/VolumeDriver.Get",
            "/VolumeDriver.Remove",
        ]

    on_engine(body)
