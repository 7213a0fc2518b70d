"""Volumes with options and of plugins, in containers, and what events tell of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.plugin import FakePlugin, fake_plugin

import wharf
from wharf.errors import WharfError
from wharf.plugins import finding
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


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlugin]:
    """A plugin called ``mine`` that keeps every volume in one folder, ``kept``."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "kept").mkdir()
    find, place = finding.find, {"Mountpoint": str(tmp_path / "kept")}
    monkeypatch.setattr(finding, "find", lambda name: find(name, [tmp_path / "plugins"], []))
    with fake_plugin(tmp_path / "plugins/mine.sock") as server:
        server.answers |= {"/VolumeDriver.Mount": place, "/VolumeDriver.Get": {"Volume": {"Name": "far", **place}}}
        yield server


def test_a_plugins_volume_is_mounted_where_the_plugin_says(
    on_engine: OnEngine, plugin: FakePlugin, tmp_path: Path
) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.volumes.create({"Name": "far", "Driver": "mine", "DriverOpts": {"a": "b"}})
        assert await _run(engine, "echo kept > /m/f; cat /m/f", "far:/m:nocopy") == "kept\n"
        shown = await engine.volumes.inspect("far")
        await engine.volumes.remove("far")

        assert ((tmp_path / "kept/f").read_text(), shown["Driver"]) == ("kept\n", "mine")
        assert shown["Mountpoint"] == str(tmp_path / "kept")
        calls = [path for path, _ in plugin.asked if path not in ("/Plugin.Activate", "/VolumeDriver.Capabilities")]
        assert calls == [
            "/VolumeDriver.Create",
            "/VolumeDriver.Mount",
            "/VolumeDriver.Unmount",
            "/VolumeDriver.Get",
            "/VolumeDriver.Remove",
        ]

    on_engine(body)


def test_a_volume_is_told_of_when_it_is_made_and_not_when_it_is_asked_for_again(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        for _ in range(2):
            await engine.volumes.create({"Name": "once"})
        await _run(engine, "true", "once:/o")
        created = [action for action, _ in await _events(engine, "once") if action == "create"]
        await engine.volumes.remove("once")

        assert created == ["create"]

    on_engine(body)
