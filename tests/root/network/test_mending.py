"""Somebody else's hand in the networks: noticed at once, made good, and told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.network.dns import ask, ips
from tests.root.network.machines import A, B, World, ruleset, talk, tcp_server

import wharf.network.names
from wharf.kernel import rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.pidfd import has_exited, pidfd_open
from wharf.lib.ports import parse_publish
from wharf.network import judging
from wharf.network.endpoint import Endpoint, Wish
from wharf.network.mending import Repair
from wharf.network.networks import Networks

pytestmark = pytest.mark.root


class Watched:
    """Networks under watch, with what was reported."""

    def __init__(self, networks: Networks, told: asyncio.Queue[Repair]) -> None:
        self.networks = networks
        self._told = told

    async def attach(self, container_id: str, publish: str = "", **wish: str) -> Endpoint:
        wishes = [Wish(wish.pop("network", "bridge"), **wish)]  # type: ignore[arg-type]
        ports = list(parse_publish(publish)) if publish else []
        return (await self.networks.attach(container_id, wishes, ports=ports))[0]

    async def told(self) -> Repair:
        return await asyncio.wait_for(self._told.get(), 60)

    def nothing_told(self) -> bool:
        return self._told.empty()


def _watched(world: World, body: Callable[[Watched], Awaitable[None]]) -> None:
    async def work() -> None:
        told: asyncio.Queue[Repair] = asyncio.Queue()
        world.networks._mending._report = told.put_nowait
        watch = asyncio.create_task(world.networks.mend())
        try:
            await asyncio.sleep(0)  # the watch is set up in its first step
            await body(Watched(world.networks, told))
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(work())


async def _run(*command: str) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True)


def _reaches(endpoint: Endpoint) -> None:
    with tcp_server(endpoint.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))


@pytest.mark.parametrize("what", ["flush ruleset", "delete table inet {}", "flush chain inet {} prerouting"])
def test_torn_firewall_is_there_again_and_told(world: World, what: str) -> None:
    async def body(watched: Watched) -> None:
        endpoint = await watched.attach(A, "8080:80")
        before = ruleset()
        await _run("nft", *what.format(world.networks._fabric.table).split())
        repair = await watched.told()

        assert (repair.what, "by nft (" in repair.reason) == ("firewall", True)
        assert ruleset() == before
        await asyncio.to_thread(_reaches, endpoint)

    _watched(world, body)


@pytest.mark.parametrize(
    "what", ["flush chain ip filter FORWARD", "flush ruleset", "add chain ip filter FORWARD { policy drop; }"]
)
def test_way_through_the_hosts_chain_is_there_again_and_told(world: World, what: str) -> None:
    async def body(watched: Watched) -> None:
        chain = "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }"
        if "add" in what:
            await watched.attach(A, "8080:80")
            await _run("nft", chain)
        else:
            await _run("nft", chain)
            await watched.attach(A, "8080:80")
            await _run("nft", what)
        if what == "flush ruleset":
            await watched.told()
            await _run("nft", chain)
        repair = await watched.told()

        assert (repair.what, "FORWARD" in repair.reason, "by nft (" in repair.reason) == ("firewall", True, True)
        assert 'oifname "docker0" accept' in ruleset()

    _watched(world, body)


def test_element_that_somebody_took_out_is_there_again(world: World) -> None:
    async def body(watched: Watched) -> None:
        await watched.attach(A, "8080:80")
        before = ruleset()
        table = world.networks._fabric.table
        await _run("nft", "delete", "element", "inet", table, "ports4_any", "{ tcp . 8080 }")
        await watched.told()

        assert ruleset() == before

    _watched(world, body)


def test_own_changes_and_those_of_others_to_their_own_are_no_trouble(world: World) -> None:
    async def body(watched: Watched) -> None:
        for command in ("add table ip theirs", "delete table ip theirs"):
            await _run("nft", *command.split())
        await watched.networks.create({"Name": "other"})
        await watched.attach(A, "8080:80", network="other")
        await watched.networks.release(A)
        await watched.networks.remove("other")
        # Whatever was noticed of all that is noticed before this:
        await watched.attach(B, "8080:80")
        await _run("nft", "flush", "ruleset")

        assert (await watched.told()).what == "firewall"
        assert watched.nothing_told()

    _watched(world, body)


def test_firewall_of_others_is_left_as_it_is(world: World) -> None:
    async def body(watched: Watched) -> None:
        await watched.attach(A, "8080:80")
        await _run("nft", "flush ruleset; add table ip theirs; add chain ip theirs c")
        await watched.told()

        assert "table ip theirs {\n\tchain c {\n\t}\n}" in ruleset()

    try:
        _watched(world, body)
    finally:
        subprocess.run(["nft", "delete", "table", "ip", "theirs"], check=True)


@pytest.mark.parametrize("network", ["bridge", "back"])
def test_deleted_bridge_is_there_again_with_its_containers(world: World, network: str) -> None:
    world.create("back", "10.2.0.0/24", "fd00:2::/64", EnableIPv6=True)

    async def body(watched: Watched) -> None:
        first = await watched.attach(A, "8080:80", network=network)
        second = await watched.attach(B, network=network)
        bridge = world.networks.resolve(network).bridge
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link(bridge))
        repair = await watched.told()

        assert (repair.what, repair.network and repair.network.name) == ("bridge", network)
        await asyncio.to_thread(_reaches, first)
        with tcp_server(first.sandbox, 81) as server:
            await asyncio.to_thread(talk, server, second.sandbox, (first.ipv4, 81))

    _watched(world, body)


def test_deleted_detour_of_judged_ports_is_there_again(world: World) -> None:
    world.create("judged", "10.2.0.0/24", Options={"wharf.network.publish": "firewall"})

    async def body(watched: Watched) -> None:
        out, _ = judging.links(world.data.key)
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link(out))
            assert (await watched.told()).what == "firewall"
            assert host.link(out)
        await watched.networks.remove("judged")
        await watched.attach(A)  # whatever was noticed of the removal is noticed before this:
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link("docker0"))
        assert (await watched.told()).what == "bridge"

    _watched(world, body)


def test_removed_network_is_no_trouble(world: World) -> None:
    async def body(watched: Watched) -> None:
        await watched.networks.create({"Name": "other"})
        await watched.networks.remove("other")
        await watched.attach(A)
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link("docker0"))

        assert ((await watched.told()).network or world.networks.resolve("none")).name == "bridge"
        assert watched.nothing_told()

    _watched(world, body)


def test_killed_resolver_is_replaced_with_all_names(world: World) -> None:
    world.create("back", "10.2.0.0/24")

    async def body(watched: Watched) -> None:
        first = await watched.attach(A, network="back", names=("web",))  # type: ignore[arg-type]
        second = await watched.attach(B, network="back", names=("db",))  # type: ignore[arg-type]
        for _ in range(2):
            pid = world.networks._fabric._names._pid
            os.kill(pid, signal.SIGKILL)
            repair = await watched.told()
            assert (repair.what, str(pid) in repair.reason) == ("resolver", True)

        assert ips(await asyncio.to_thread(ask, first, "db")) == {second.ipv4}
        assert ips(await asyncio.to_thread(ask, second, "web")) == {first.ipv4}

    _watched(world, body)


def test_resolver_that_somebody_else_replaced_first_gets_all_names_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wharf.network.names, "_TIMEOUT_S", 600.0)  # whoever waits for an answer fails
    world.create("back", "10.2.0.0/24")

    async def body(watched: Watched) -> None:
        first = await watched.attach(A, network="back", names=("web",))  # type: ignore[arg-type]
        second = await watched.attach(B, network="back", names=("db",))  # type: ignore[arg-type]
        names = world.networks._fabric._names
        pidfd = pidfd_open(names._pid)
        os.kill(names._pid, signal.SIGKILL)
        assert has_exited(pidfd, 60)
        os.close(pidfd)
        names.serve(B, [second])  # in the loop's own thread: before the watch hears of the end
        assert (await watched.told()).what == "resolver"

        assert ips(await asyncio.to_thread(ask, first, "db")) == {second.ipv4}
        assert ips(await asyncio.to_thread(ask, second, "web")) == {first.ipv4}

    _watched(world, body)


def test_watch_leaves_no_descriptor(world: World) -> None:
    async def nothing(watched: Watched) -> None:
        pass

    _watched(world, nothing)
    before = len(os.listdir("/proc/self/fd"))
    _watched(world, nothing)

    assert len(os.listdir("/proc/self/fd")) == before
    assert Path("/proc/self/fd").is_dir()
