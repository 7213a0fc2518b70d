"""Sandboxes made ahead: as good as any other, never kept in vain, and gone with the engine."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.root.network.dns import ask, ips
from tests.root.network.machines import NOTHING, A, B, World, ruleset, talk, tcp_server
from tests.root.wharfd import until

from wharf.errors import Conflict, Unavailable
from wharf.kernel import netns, rtnetlink
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.lib.ports import parse_publish
from wharf.network import sandbox
from wharf.network.endpoint import Endpoint, Rate, Wish
from wharf.network.networks import Networks
from wharf.network.spares import EACH, Spare, kind_of
from wharf.storage.metadata import Database

pytestmark = pytest.mark.root

C = "c" * 64
_DUAL = {"EnableIPv6": True}


@pytest.fixture
def ready(world: World) -> World:
    """Networks ``front`` and ``dual``, for which sandboxes wait."""
    world.create("front", "10.1.0.0/24")
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", **_DUAL)
    return world


def _attach(world: World, container_id: str, *publish: str, **wish: Any) -> Endpoint:
    """Attach a container when sandboxes wait for one like it, and see that it got one of them."""
    stand_in = "e" * 64
    ports = [mapping for spec in publish for mapping in parse_publish(spec)]

    async def both() -> Endpoint:
        networks = world.networks
        await networks.attach(stand_in, [Wish(**{**wish, "interface": "", "ipv4": "", "ipv6": "", "rate": Rate()})])
        await networks._ahead.caught_up()
        await networks.release(stand_in)
        waiting = [link.name for link in _spare_links(world)]
        (found,) = await networks.attach(container_id, [Wish(**wish)], ports=ports)
        assert found.host_link in waiting
        return found

    return asyncio.run(both())


def _spare_links(world: World) -> list[Link]:
    with Rtnetlink() as host:
        return [link for link in host.links() if link.alias == f"wharf:{world.data.key}:spare"]


def _shown(endpoint: Endpoint, *words: str) -> str:
    command = ["nsenter", f"--net={endpoint.sandbox}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _setting(endpoint: Endpoint, name: str) -> str:
    return netns.within(endpoint.sandbox, lambda: Path("/proc/sys/net", name).read_text().strip())


def test_container_in_one_is_as_one_in_another(ready: World) -> None:
    """Every address, route and parameter is as in a sandbox that was made for its container."""
    usual = ready.attach(B, network="dual", names=("b",), ipv4="10.5.0.99")
    made = _attach(ready, A, network="dual", names=("a",))

    def told(endpoint: Endpoint) -> list[str]:
        text = "".join(_shown(endpoint, "ip", *words) for words in (("-o", "addr"), ("route",), ("-6", "route")))
        for own, word in ((endpoint.ipv4, "IP"), (endpoint.ipv6, "IP6"), (endpoint.mac, "MAC")):
            text = text.replace(own, word)
        lines = [line for line in text.splitlines() if "fe80::42" not in line]  # it follows from the MAC
        return sorted(" ".join(word for word in line.split() if "if" not in word) for line in lines)

    assert told(made) == told(usual)
    for name in ("ipv6/conf/eth0/ndisc_notify", "ipv4/conf/eth0/arp_notify", "ipv6/conf/eth0/disable_ipv6"):
        assert _setting(made, name) == _setting(usual, name)
    with Rtnetlink() as host:
        links = [host.link(endpoint.host_link) for endpoint in (made, usual)]
    assert len({(link.master, link.mtu, link.up, link.carries) for link in links if link}) == 1


def test_container_in_one_is_reached_by_name_address_and_published_port(ready: World) -> None:
    neighbour = ready.attach(B, network="front", names=("b",))
    made = _attach(ready, A, "8080:80", network="front", names=("a",))

    with tcp_server(made.sandbox, 80) as server:
        talk(server, neighbour.sandbox, (made.ipv4, 80))
        talk(server, "", ("127.0.0.1", 8080))
    assert ips(ask(neighbour, "a")) == {made.ipv4}
    assert ips(ask(made, "b")) == {neighbour.ipv4}
    ready.release(A)
    assert not Path(made.sandbox).exists()


def test_wishes_are_honoured_in_one(ready: World) -> None:
    made = _attach(ready, A, network="front", ipv4="10.1.0.77", interface="lan0", rate=Rate(8_000_000, 8_000_000))

    assert "10.1.0.77/24" in _shown(made, "ip", "addr", "show", "dev", "lan0")
    with Rtnetlink() as host:
        assert host.link(f"ifb{made.host_link.removeprefix('veth')}")


def test_unusual_place_has_a_sandbox_of_its_own(ready: World) -> None:
    _attach(ready, A, network="front")
    waiting = {link.name for link in _spare_links(ready)}
    for wish in (
        {"mac": "02:00:00:00:00:09"},
        {"sysctls": (("net.ipv4.conf.IFNAME.log_martians", "1"),)},
        {"names": ("web",)},
    ):
        assert ready.attach(B, network="front", **wish).host_link not in waiting
        ready.release(B)


def test_as_many_wait_as_are_said_and_those_of_a_removed_network_go(ready: World) -> None:
    _attach(ready, A, network="front")
    asyncio.run(ready.networks._ahead.caught_up())
    assert len(_spare_links(ready)) == EACH
    ready.release(A)
    ready.remove("front")

    until(lambda: not _spare_links(ready))


def test_bridge_that_was_made_anew_has_no_old_ones(ready: World) -> None:
    made = _attach(ready, A, network="front")
    ready.release(A)
    with Rtnetlink() as host:
        host.execute(rtnetlink.delete_link(ready.networks.resolve("front").bridge))
    assert ready.networks._fabric.mend_bridge(ready.networks.resolve("front"))
    stale = {link.name for link in _spare_links(ready)}

    again, neighbour = ready.attach(A, network="front"), ready.attach(B, network="front")
    assert made.host_link != again.host_link not in stale
    with tcp_server(again.sandbox, 80) as server:
        talk(server, neighbour.sandbox, (again.ipv4, 80))
    until(lambda: not _spare_links(ready))


def test_one_whose_bridge_has_gone_is_replaced(ready: World) -> None:
    _attach(ready, A, network="front")
    with Rtnetlink() as host:
        host.execute(rtnetlink.delete_link(ready.networks.resolve("front").bridge))

    made, neighbour = ready.attach(B, network="front"), ready.attach(C, network="front")
    with tcp_server(made.sandbox, 80) as server:
        talk(server, neighbour.sandbox, (made.ipv4, 80))


def test_failed_start_leaves_nothing_of_it(ready: World) -> None:
    _attach(ready, B, "8080:80", network="front")
    with pytest.raises(Conflict):
        ready.attach(A, "8080:80", network="front")
    ready.networks._fabric._firewall.publish = _refuse  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        ready.attach(A, network="front")
    ready.release(B)

    until(lambda: not _spare_links(ready))
    assert {**ready.leftovers(), "veths": []} == NOTHING


def test_one_that_fails_to_become_a_sandbox_takes_its_limits_along(
    ready: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ready.attach(B, network="front")
    bridge = ready.networks._fabric._bridge.ready_bridge(usual.network_id)
    assert bridge
    ready.release(B)
    spare, path = Spare(kind_of(usual, bridge), ready.data.key), str(tmp_path / "run/netns" / A)
    endpoint = replace(usual, container_id=A, sandbox=path, host_link=spare.host_link, rate=Rate(0, 8_000_000))
    seen: list[str] = []

    def fail(host: Rtnetlink, *_: object) -> None:
        seen.extend(link.name for link in host.links() if link.kind == "ifb" and link.alias)
        raise OSError(errno.EIO, "not now")

    monkeypatch.setattr(sandbox, "make_known", fail)
    with pytest.raises(OSError, match="not now"):
        spare.occupy(path, endpoint, lambda _: None)

    assert len(seen) == 1
    with Rtnetlink() as host:
        assert [link.name for link in host.links() if link.name in (*seen, spare.host_link)] == []
    assert not Path(path).exists()


def _refuse(_: object) -> None:
    raise OSError(12, "no memory")


def test_engine_that_closes_leaves_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.start()
    before = ruleset()
    _attach(world, A, network="bridge")
    world.release(A)
    world.close()

    until(lambda: not _spare_links(world))
    assert ruleset() == before


@pytest.mark.parametrize("step", ["waiting", "namespace", "veth", "address", "announce", "ports"])
def test_engine_that_is_killed_leaves_none(world: World, step: str) -> None:
    world.create("front", "10.1.0.0/24")
    pid = os.fork()
    if pid == 0:
        _die_at(world, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    world.reborn()
    world.start()

    until(lambda: not _spare_links(world))
    assert {**world.leftovers(), "veths": []} == NOTHING


def _die_at(world: World, step: str) -> None:
    """Attach a container to what was made ahead, and die when ``step`` is done."""
    armed: list[bool] = []

    def observe(done: str, seconds: float) -> None:
        if armed and done == step:
            os._exit(9)

    async def main() -> None:
        networks = Networks(world.data, world.run_root, Database(world.data.database), observe=observe)
        await networks.start(set())
        await networks.attach(B, [Wish("front", names=("b",))])
        await networks._ahead.caught_up()
        if step == "waiting":
            os._exit(9)
        armed.append(True)
        await networks.attach(A, [Wish("front", names=("a",))], ports=parse_publish("8080:80"))

    try:
        asyncio.run(main())
    finally:
        os._exit(1)
