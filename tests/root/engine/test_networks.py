"""Networks and containers together: join, leave, inspect, prune, and what an engine finds after it was killed."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.network.overlay import Overlay

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import Forbidden, InvalidArgument, NotFound, NotImplementedHere, WharfError
from wharf.kernel import rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.network.endpoint import Endpoint, Rate
from wharf.spec.engine_api.container import CreateContainer, EndpointSettings, NetworkingConfig
from wharf.storage.layout import run_root_of

pytestmark = pytest.mark.root

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]


async def _start(engine: wharf.Engine, name: str, mode: str, **networks: EndpointSettings) -> str:
    networking: NetworkingConfig = {"EndpointsConfig": networks}
    created = await engine.containers.create(
        {
            "Image": "busybox",
            "Cmd": ["sleep", "60"],
            "HostConfig": {"NetworkMode": mode},
            "NetworkingConfig": networking,
        },
        name=name,
    )
    await engine.containers.start(name)
    return created.get("Id") or ""


async def _networks(engine: wharf.Engine, name: str) -> dict[str, EndpointSettings]:
    document = await engine.containers.inspect(name)
    return (document.get("NetworkSettings") or {}).get("Networks") or {}


def _text(path: Path) -> str:
    return path.read_text()


def _change(path: Path, text: str) -> None:
    path.write_text(text)


async def _drop(engine: wharf.Engine) -> None:
    for container in await engine.containers.list(all=True):
        await engine.containers.remove(container["Id"] or "", force=True, volumes=True)
    await engine.networks.prune({})


def test_container_starts_in_several_networks(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        await engine.networks.create({"Name": "front", "IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}})
        container_id = await _start(engine, "web", "back", front={"IPAMConfig": {"IPv4Address": "10.1.0.9"}})
        found = await _networks(engine, "web")
        shown = await engine.networks.inspect("front")

        assert {name: e.get("IPAddress") for name, e in found.items()} == {"back": "10.2.0.2", "front": "10.1.0.9"}
        assert (shown.get("Containers") or {})[container_id].get("Name") == "web"
        await _drop(engine)

    on_engine(body)


def test_running_container_joins_and_leaves_and_its_hosts_file_follows(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        container_id = await _start(engine, "web", "bridge")
        hosts = Path((await engine.containers.inspect("web")).get("HostsPath") or "")
        before = _text(hosts)

        await engine.networks.connect("back", {"Container": "web", "EndpointConfig": {"Aliases": ["www"]}})
        joined = _text(hosts)
        assert (await _networks(engine, "web"))["back"].get("IPAddress") == "10.2.0.2"
        assert joined == f"{before}10.2.0.2\t{container_id[:12]}\n"
        with pytest.raises(Forbidden, match="endpoint with name web already exists in network back"):
            await engine.networks.connect("back", {"Container": "web"})

        await engine.networks.disconnect("back", {"Container": "web"})
        assert list(await _networks(engine, "web")) == ["bridge"]
        assert _text(hosts) == before
        with pytest.raises(WharfError, match="is not connected to network back"):
            await engine.networks.disconnect("back", {"Container": "web"})
        await _drop(engine)

    on_engine(body)


def test_running_container_asks_the_resolver_for_as_long_as_it_has_names(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        await _start(engine, "web", "bridge")
        file = Path((await engine.containers.inspect("web")).get("ResolvConfPath") or "")
        before = _text(file)

        await engine.networks.connect("back", {"Container": "web"})
        assert _text(file).startswith("nameserver 127.0.0.11\n")
        await engine.networks.disconnect("back", {"Container": "web"})
        assert _text(file) == before

        _change(file, "nameserver 192.0.2.1\n")  # as a program in the container may do
        await engine.networks.connect("back", {"Container": "web"})
        assert _text(file) == "nameserver 192.0.2.1\n"
        await _drop(engine)

    on_engine(body)


def test_repaired_networks_are_told_as_events(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _start(engine, "web", "bridge")
        told = engine.system.events(since="1", until=None, filters={"event": ["repair"]})
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link("docker0"))
        first = await anext(told)
        await asyncio.to_thread(subprocess.run, ["nft", "flush", "ruleset"], check=True)
        second = await anext(told)
        assert isinstance(told, AsyncGenerator)
        await told.aclose()

        assert (first.get("Type"), (first.get("Actor") or {}).get("Attributes")) == (
            "network",
            {"name": "bridge", "type": "bridge", "what": "bridge", "reason": "bridge docker0 was deleted by others"},
        )
        assert (second.get("Type"), (second.get("Actor") or {}).get("Attributes", {}).get("what")) == (
            "daemon",
            "firewall",
        )
        await _drop(engine)

    on_engine(body)


def test_stopped_container_joins_when_it_starts(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        await _start(engine, "web", "bridge")
        await engine.containers.kill("web", signal=None)
        await (await engine.containers.wait("web", condition="not-running"))
        await engine.networks.connect("back", {"Container": "web"})
        await engine.networks.disconnect("bridge", {"Container": "web"})
        assert (await _networks(engine, "web"))["back"].get("IPAddress") == ""
        await engine.containers.start("web")

        assert {n: e.get("IPAddress") for n, e in (await _networks(engine, "web")).items()} == {"back": "10.2.0.2"}
        await _drop(engine)

    on_engine(body)


@pytest.mark.parametrize("mode", ["host", "none"])
def test_container_without_networks_of_its_own_joins_none(on_engine: On, mode: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        await _start(engine, "web", mode)
        with pytest.raises(Forbidden, match="container"):
            await engine.networks.connect("back", {"Container": "web"})
        await _drop(engine)

    on_engine(body)


def test_container_that_left_none_joins_another_network_while_it_runs(on_engine: On, root: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
        identity = await _start(engine, "web", "none")
        await engine.networks.disconnect("none", {"Container": "web"})
        await engine.networks.connect("back", {"Container": "web"})

        pid = ((await engine.containers.inspect("web")).get("State") or {}).get("Pid")
        assert "eth0" in await asyncio.to_thread(_text, Path(f"/proc/{pid}/net/dev"))
        assert (await _networks(engine, "web"))["back"].get("IPAddress") == "10.2.0.2"
        await _drop(engine)
        assert not run_root_of(root).sandbox(identity).exists()

    on_engine(body)


def test_start_in_a_network_that_is_not_there_fails(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        with pytest.raises(NotFound, match="network back not found"):
            await _start(engine, "web", "back")

    on_engine(body)


def test_prune_keeps_the_networks_of_stopped_containers(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        for name in ("back", "front"):
            await engine.networks.create({"Name": name})
        await engine.containers.create({"Image": "busybox", "HostConfig": {"NetworkMode": "back"}}, name="web")

        assert await engine.networks.prune({}) == {"NetworksDeleted": ["front"]}
        await engine.containers.remove("web")
        assert await engine.networks.prune({}) == {"NetworksDeleted": ["back"]}

    on_engine(body)


def test_life_of_networks_is_told_as_events(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await engine.networks.create({"Name": "back"})
        await _start(engine, "web", "back")
        await engine.containers.remove("web", force=True, volumes=True)
        await engine.networks.remove("back")
        seen = []
        async for event in engine.system.events(since="1", until=None, filters={"type": ["network"]}):
            seen.append(event.get("Action"))
            if seen[-1] == "destroy":
                break

        assert seen == ["create", "connect", "disconnect", "destroy"]

    on_engine(body)


def test_join_that_the_engine_did_not_live_to_record_is_undone(root: Path) -> None:
    async def begin() -> None:
        async with wharf.Engine(root) as engine:
            await engine.networks.create({"Name": "back", "IPAM": {"Config": [{"Subnet": "10.2.0.0/24"}]}})
            await _start(engine, "web", "bridge")
            engine.networks._respecify = lambda *_: None  # type: ignore[method-assign]  # as if killed just before
            await engine.networks.connect("back", {"Container": "web"})

    async def go_on() -> None:
        async with wharf.Engine(root) as engine:
            shown = await engine.networks.inspect("back")
            assert shown.get("Containers") == {}
            assert list(await _networks(engine, "web")) == ["bridge"]
            await _drop(engine)

    asyncio.run(begin())
    asyncio.run(go_on())


def _limited(rate: str) -> NetworkingConfig:
    return {"EndpointsConfig": {"bridge": {"DriverOpts": {"wharf.network.rate": rate}}}}


def _rate(engine: wharf.Engine) -> Rate:
    (endpoint,) = engine._open_or_fail().context.networks._records.endpoints()
    return endpoint.rate


async def _unchanged(container_id: str, rates: object) -> list[Endpoint]:
    return []


def test_rate_of_a_running_container_is_changed_and_a_change_cut_short_is_finished(root: Path) -> None:
    async def begin() -> None:
        async with wharf.Engine(root) as engine:
            await _start(engine, "web", "bridge")
            await engine.containers.update("web", {"NetworkingConfig": _limited("8mbit/16mbit")})
            assert _rate(engine) == Rate(8_000_000, 16_000_000)
            for faulty, kind, fault in (
                ({"none": {}}, InvalidArgument, "not connected to network none"),
                ({"bridge": {"Aliases": ["x"]}}, NotImplementedHere, "updating Aliases of an endpoint"),
            ):
                with pytest.raises(kind, match=fault):
                    await engine.containers.update("web", {"NetworkingConfig": {"EndpointsConfig": faulty}})  # type: ignore[typeddict-item]
            await _start(engine, "beside", "container:web")
            with pytest.raises(InvalidArgument, match="in no network of its own, but in that of container:"):
                await engine.containers.update("beside", {"NetworkingConfig": {"EndpointsConfig": {}}})
            with pytest.raises(InvalidArgument, match="a network rate cannot be had with network container:web"):
                await _start(
                    engine,
                    "no",
                    "container:web",
                    **{"container:web": {"DriverOpts": {"wharf.network.rate": "1mbit"}}},
                )
            await engine.containers.remove("beside", force=True)
            with pytest.raises(InvalidArgument):  # refused as a whole
                await engine.containers.update("web", {"NetworkingConfig": _limited("1gbit"), "Memory": 1})
            assert _rate(engine) == Rate(8_000_000, 16_000_000)
            found = (await _networks(engine, "web"))["bridge"]
            assert found.get("DriverOpts") == {"wharf.network.rate": "8mbit/16mbit"}
            context = engine._open_or_fail().context
            context.networks.throttle = _unchanged  # type: ignore[method-assign]  # as if killed just before
            await engine.containers.update("web", {"NetworkingConfig": _limited("0")})

    async def go_on() -> None:
        async with wharf.Engine(root) as engine:
            assert _rate(engine) == Rate()
            await engine.containers.stop("web", timeout_s=0)
            await engine.containers.update("web", {"NetworkingConfig": _limited("24mbit")})
            await engine.containers.start("web")
            assert _rate(engine) == Rate(24_000_000, 24_000_000)
            await _drop(engine)

    asyncio.run(begin())
    asyncio.run(go_on())


def test_container_lives_in_a_network_of_an_embedding_programs_own_driver(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.mkdir()
    options = EngineOptions(network_drivers={"overlay": lambda key: Overlay(key, table)})

    async def begin() -> None:
        async with wharf.Engine(root, options=options) as engine:
            await engine.networks.create({"Name": "far", "Driver": "overlay"})
            assert "overlay" in str((await engine.system.info())["Plugins"])
            await _start(engine, "web", "far")
            ping: CreateContainer = {"Image": "busybox", "Cmd": ["ping", "-c1", "-W2", "web"]}
            await engine.containers.create({**ping, "HostConfig": {"NetworkMode": "far"}}, name="ping")
            await engine.containers.start("ping")
            ended = await (await engine.containers.wait("ping"))
            assert ended["StatusCode"] == 0
            await _start(engine, "other", "bridge")
            await engine.networks.connect("far", {"Container": "other"})
            assert len(list(table.iterdir())) == 2
            await engine.networks.disconnect("far", {"Container": "other"})
            assert len(list(table.iterdir())) == 1

    async def go_on() -> None:
        async with wharf.Engine(root, options=options) as engine:
            assert len((await engine.networks.inspect("far")).get("Containers") or {}) == 1
            await _drop(engine)
            assert list(table.iterdir()) == []

    asyncio.run(begin())
    asyncio.run(go_on())
