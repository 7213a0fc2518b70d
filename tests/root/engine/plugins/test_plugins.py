"""Plugins of archives and registries: installed, set, run, used, upgraded, removed, without an engine meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.engine.plugins import made
from tests.root.registry import registry
from tests.root.wharfd import until

import wharf
from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound, NotImplementedHere, Unavailable

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _create(engine: wharf.Engine, name: str, document: object = None) -> None:
    await engine.plugins.create(name, made.chunks(made.archive(document)))


async def _all(documents: AsyncIterator[dict[str, object]]) -> list[object]:
    return [document.get("status") async for document in documents]


async def _told(engine: wharf.Engine) -> list[str | None]:
    events = engine.system.events(since="0", until="0s", filters={"type": ["plugin"]})
    return [event.get("Action") async for event in events]


def test_a_plugin_keeps_the_volumes_of_containers_and_is_set_and_removed_only_when_nothing_needs_it(
    on_engine: OnEngine,
) -> None:
    async def body(engine: wharf.Engine) -> None:
        plugins = engine.plugins
        await _create(engine, "keeper")
        with pytest.raises(Conflict, match="plugin keeper:latest already exists"):
            await _create(engine, "keeper:latest")
        await plugins.set("keeper", ["DEBUG=7"])
        with pytest.raises(Conflict, match="plugin keeper:latest found but disabled"):
            await engine.volumes.create({"Name": "vol", "Driver": "keeper"})
        await plugins.enable("keeper", timeout_s=9)
        with pytest.raises(Conflict, match="already enabled"):
            await plugins.enable("keeper")

        made_volume = await engine.volumes.create({"Name": "vol", "Driver": "keeper"})
        done = await engine.run(
            "busybox", ["sh", "-c", "echo kept >/v/f; grep ' /v ' /proc/mounts"], host_config={"Binds": ["vol:/v"]}
        )
        shown = await engine.volumes.inspect("vol")

        assert done.stdout.decode().startswith("tmpfs /v tmpfs"), "what the plugin has mounted is what it is"
        assert (made_volume["Driver"], shown["Status"]) == ("keeper:latest", {"debug": "7"})
        assert (Path(shown["Mountpoint"] or "") / "f").read_text() == "kept\n"
        for refused in (plugins.disable("keeper"), plugins.remove("keeper"), plugins.set("keeper", ["DEBUG=1"])):
            with pytest.raises(Conflict):
                await refused
        await engine.volumes.remove("vol")
        await plugins.disable("keeper")
        assert [
            one["Name"] for one in await plugins.list({"enabled": ["false"], "capability": ["volumedriver"]})
        ] == ["keeper:latest"]
        assert await plugins.list({"enabled": ["true"]}) == []
        await plugins.remove("keeper")
        assert await _told(engine) == ["create", "enable", "disable", "remove"]
        with pytest.raises(NotFound, match='plugin "keeper" not found'):
            await plugins.inspect("keeper")

    on_engine(body)


def test_a_plugin_goes_by_a_registry_and_is_upgraded_from_there(on_engine: OnEngine, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        plugins = engine.plugins
        with registry(tmp_path / "registry") as address:
            name = f"{address}/me/keeper:1"
            await _create(engine, name)
            assert "Upload complete" in await _all(plugins.push(name))
            await plugins.remove(name)

            wanted = await plugins.privileges(name)
            kinds = [one["Name"] for one in wanted]
            assert (kinds[0], kinds[-1]) == ("mount", "capabilities")
            with pytest.raises(Forbidden, match="incorrect privileges"):
                await _all(plugins.pull(name))
            with pytest.raises(NotFound):
                await _all(plugins.pull(f"{address}/me/none", grants=wanted))
            await _all(plugins.pull(name, name="mine", grants=wanted))
            (installed,) = await plugins.list()
            assert (installed["Name"], installed["PluginReference"], installed["Enabled"]) == (
                "mine:latest", name, False,
            )  # fmt: skip

            await plugins.set("mine", ["DEBUG=5"])
            newer = f"{address}/me/keeper:2"
            await _create(engine, newer, made.config(description="newer"))
            await _all(plugins.push(newer))
            await _all(plugins.upgrade("mine", newer, grants=wanted))
            await _all(plugins.upgrade("mine", newer, grants=wanted))
            upgraded = await plugins.inspect("mine")
            assert (upgraded["Id"], upgraded["Config"]["Description"]) == (installed["Id"], "newer")
            assert upgraded["Settings"]["Env"] == ["DEBUG=5"]
            await plugins.enable("mine")
            with pytest.raises(Conflict, match="plugin must be disabled before upgrading"):
                await _all(plugins.upgrade("mine", newer, grants=wanted))
            await plugins.remove("mine", force=True)
            await plugins.remove(newer)

    on_engine(body)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (made.archive(False), "config not found"),
        (made.archive(rootfs=False), "no rootfs found"),
        (made.archive({"interface": {"socket": "../x"}}), "names no socket"),
        (b"no archive at all", "archive"),
        (b"", "config not found"),
    ],
)
def test_an_archive_that_is_no_plugin_leaves_nothing(on_engine: OnEngine, root: Path, raw: bytes, said: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(InvalidArgument, match=said):
            await engine.plugins.create("broken", made.chunks(raw))
        assert await engine.plugins.list() == []

    on_engine(body)
    assert [*(root / "ingest").iterdir()] == []
    assert not (root / "plugins").exists() or [*(root / "plugins").iterdir()] == []


def test_what_does_not_come_up_stays_disabled(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _create(engine, "deaf")
        await engine.plugins.set("deaf", ["args=deaf"])
        with pytest.raises(Unavailable, match="ended with exit code 3 before it listened"):
            await engine.plugins.enable("deaf")
        await _create(engine, "net", made.config(interface={"types": ["docker.secretprovider/1.0"], "socket": "s"}))
        with pytest.raises(NotImplementedHere, match="secretprovider"):
            await engine.plugins.enable("net")
        await _create(engine, "none", made.config(entrypoint=["/nothing"]))
        with pytest.raises(InvalidArgument, match="cannot be started"):
            await engine.plugins.enable("none")
        assert await engine.plugins.list({"enabled": ["true"]}) == []

    on_engine(body)


def test_a_plugin_goes_on_without_an_engine_and_the_next_one_finds_it_or_starts_it_again(root: Path) -> None:
    async def first() -> None:
        async with wharf.Engine(root) as engine:
            await _create(engine, "keeper")
            await engine.plugins.enable("keeper")
            await engine.volumes.create({"Name": "vol", "Driver": "keeper"})

    async def second() -> None:
        async with wharf.Engine(root) as engine:
            assert made.running(root) == was
            assert (await engine.volumes.inspect("vol")).get("Driver") == "keeper:latest"
            os.kill(was[0], 9)
            await asyncio.to_thread(_await_another, root, was)
            await engine.volumes.remove("vol")

    async def third() -> None:
        now = made.running(root)
        async with wharf.Engine(root) as engine:
            os.kill(now[0], 9)
            await asyncio.to_thread(_await_another, root, now)
            await engine.plugins.remove("keeper", force=True)

    asyncio.run(first())
    was = made.running(root)
    asyncio.run(second())
    asyncio.run(third())
    assert made.running(root) == []
    assert [*(root / "plugins").iterdir()] == []


def _await_another(root: Path, was: list[int]) -> None:
    until(lambda: (now := made.running(root)) and now != was)
