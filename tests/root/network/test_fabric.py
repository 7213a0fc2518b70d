"""Several networks a container: joined and left while it runs, survived and swept."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.root.network.machines import NOTHING, World, talk, tcp_server

from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound, Unavailable
from wharf.kernel import netns, rtnetlink
from wharf.kernel.netlink import Rtnetlink
from wharf.network.endpoint import Wish
from wharf.network.networks import Networks
from wharf.storage.metadata import Database

pytestmark = pytest.mark.root

A, B = "a" * 64, "b" * 64


@pytest.fixture
def two(world: World) -> World:
    world.create("back", "10.2.0.0/24")
    world.create("front", "10.1.0.0/24")
    return world


def _default() -> str:
    lines = [line.split() for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]]
    return next((fields[0] for fields in lines if fields[1] == "00000000"), "")


def _interfaces() -> list[str]:
    with Rtnetlink() as inside:
        return sorted(link.name for link in inside.links() if link.name != "lo")


def test_container_is_in_several_networks_at_once(two: World) -> None:
    front, back = two.attach_all(A, wishes=[Wish("front"), Wish("back")])
    neighbour = two.attach(B, network="back")

    assert netns.within(front.sandbox, _interfaces) == ["eth0", "eth1"]
    assert netns.within(front.sandbox, _default) == "eth1"  # "back" is before "front"
    with tcp_server(front.sandbox, 80) as server:
        talk(server, neighbour.sandbox, (back.ipv4, 80))


def test_running_container_joins_and_leaves(two: World) -> None:
    front = two.attach(A, network="front", gateway_priority=1)
    neighbour = two.attach(B, network="back")
    back = two.connect(A, "back")[-1]
    with tcp_server(front.sandbox, 80) as server:
        talk(server, neighbour.sandbox, (back.ipv4, 80))
    assert netns.within(front.sandbox, _default) == "eth0"

    rest = two.disconnect(A, "front")

    assert [endpoint.network_name for endpoint in rest] == ["back"]
    assert netns.within(front.sandbox, _interfaces) == ["eth1"]
    assert netns.within(front.sandbox, _default) == "eth1"


def test_container_that_left_all_networks_joins_again_and_is_swept(two: World) -> None:
    front = two.attach(A, network="front")
    assert two.disconnect(A, "front") == []
    assert [e.interface for e in two.connect(A, "back")] == ["eth0"]
    two.disconnect(A, "back")
    two.release(A)

    assert not Path(front.sandbox).exists()
    assert {**two.leftovers(), "veths": []} == NOTHING


def test_join_that_fails_leaves_the_rest_as_it_was(two: World) -> None:
    front = two.attach(A, "8080:80", network="front")
    two.attach(B, network="back", ipv4="10.2.0.9")
    with pytest.raises(Unavailable, match="Address already in use"):
        two.connect(A, "back", ipv4="10.2.0.9")
    with pytest.raises(Unavailable, match="failed to connect to network back"):
        two.connect(A, "back", sysctls=(("net.ipv4.conf.IFNAME.nonsense", "1"),))

    assert netns.within(front.sandbox, _interfaces) == ["eth0"]
    with tcp_server(front.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))


def test_interfaces_have_the_names_addresses_and_settings_that_were_asked_for(two: World) -> None:
    wish = Wish(
        "front",
        ipv4="10.1.0.77",
        mac="02:00:00:00:00:77",
        interface="lan0",
        link_local=("169.254.8.8",),
        sysctls=(("net.ipv4.conf.IFNAME.log_martians", "1"),),
    )
    (endpoint,) = two.attach_all(A, wishes=[wish])
    command = ["nsenter", f"--net={endpoint.sandbox}", "ip", "addr", "show", "dev", "lan0"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    setting = netns.within(
        endpoint.sandbox, lambda: Path("/proc/sys/net/ipv4/conf/lan0/log_martians").read_text().strip()
    )

    for part in ("10.1.0.77/24", "02:00:00:00:00:77", "169.254.8.8/16"):
        assert part in shown
    assert setting == "1"


def test_network_in_use_stays(two: World) -> None:
    two.attach(A, network="front")
    with pytest.raises(Forbidden, match=r"network front has active endpoints \(name:"):
        two.remove("front")
    with pytest.raises(Forbidden, match="bridge is a pre-defined network and cannot be removed"):
        two.remove("bridge")
    two.release(A)
    two.remove("front")

    with pytest.raises(NotFound, match="network front not found"):
        two.networks.resolve("front")


@pytest.mark.parametrize(
    ("name", "more", "kind"),
    [
        ("front", {}, Conflict),
        ("other", {"IPAM": {"Config": [{"Subnet": "10.1.0.128/25"}]}}, Forbidden),
        ("other", {"Options": {"com.docker.network.bridge.name": "lo"}}, Conflict),
        ("other", {"ConfigFrom": {"Network": "front"}}, Forbidden),
    ],
)
def test_network_that_cannot_be_is_not_recorded(
    two: World, name: str, more: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        two.create(name, **more)

    assert sorted(n["Name"] or "" for n in asyncio.run(two.networks.list())) == [
        "back",
        "bridge",
        "front",
        "host",
        "none",
    ]


def test_bridge_of_the_users_own_is_used_and_left(world: World) -> None:
    with Rtnetlink() as host:
        host.execute(rtnetlink.new_bridge("lan7", mac="02:00:00:00:00:01"))
        try:
            world.create("front", "10.1.0.0/24", Options={"com.docker.network.bridge.name": "lan7"})
            assert world.attach(A, network="front").ipv4 == "10.1.0.2"
            world.release(A)
            world.remove("front")
            assert host.link("lan7")
        finally:
            host.execute(rtnetlink.delete_link("lan7"))


def test_networks_are_there_again_after_the_engine_was_killed(two: World) -> None:
    front, _ = two.attach_all(A, "8080:80", wishes=[Wish("front"), Wish("back")])
    before = two.networks._records.endpoints()
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    two.reborn()
    found = two.start(A)

    assert found == {A: before}
    with tcp_server(front.sandbox, 80) as server:
        talk(server, "", ("127.0.0.1", 8080))
    two.connect(A, "bridge")
    two.attach(B, network="back")


def test_bridges_are_made_again_after_a_reboot(two: World) -> None:
    with Rtnetlink() as host:
        names = [link.name for link in host.links() if link.kind == "bridge"]
        host.execute(*(rtnetlink.delete_link(name) for name in names))
    two.reborn()
    two.start()

    with Rtnetlink() as host:
        assert sorted(link.name for link in host.links() if link.kind == "bridge") == sorted(names)
    assert two.attach(A, network="front").ipv4 == "10.1.0.2"


@pytest.mark.parametrize("step", ["plan", "prepare", "join", "leave", "dismantle"])
def test_engine_killed_in_a_change_of_networks_leaves_nothing_half_way(two: World, step: str) -> None:
    two.attach(A, network="front")
    two.attach(B, network="back")
    pid = os.fork()
    if pid == 0:
        _die_in(two, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    two.reborn()
    two.start(A)

    with Rtnetlink() as host:
        bridges = sorted(link.name for link in host.links() if link.kind == "bridge")
    recorded = [n for n in two.networks._records.networks() if n.driver == "bridge" and not n.builtin]
    assert bridges == sorted(network.bridge for network in recorded)
    assert [e.container_id for e in two.networks._records.endpoints()][:1] == [A]


def _die_in(world: World, step: str) -> None:
    try:
        networks = Networks(world.data, world.run_root, Database(world.data.database))
        asyncio.run(networks.start({A, B}))
        real = getattr(networks._fabric, step)

        def last(*args: Any) -> None:
            real(*args)
            os._exit(9)

        setattr(networks._fabric, step, last)
        if step in ("plan", "prepare"):
            asyncio.run(networks.create({"Name": "other"}))
        elif step == "join":
            asyncio.run(networks.connect(A, os.getpid(), Wish("back")))
        elif step == "leave":
            asyncio.run(networks.disconnect(B, networks.resolve("back").id))
        else:
            asyncio.run(networks.release(B))
            asyncio.run(networks.remove("back"))
    finally:
        os._exit(1)


def test_bad_wish_is_refused_before_anything_is_made(two: World) -> None:
    with pytest.raises(InvalidArgument, match="no configured subnet or ip-range contain the IP address"):
        two.attach(A, network="front", ipv4="10.9.9.9")

    assert two.leftovers() == NOTHING
