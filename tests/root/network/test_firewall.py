"""What the firewall lets through between networks, and what it does not."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.root.network.machines import NOTHING, WIRE_THERE, WIRE_THERE6, World, ruleset, talk, tcp_server

from wharf.errors import Forbidden, NotFound
from wharf.kernel import netns
from wharf.kernel.netlink import Rtnetlink
from wharf.network.defaults import NetworkDefaults
from wharf.network.endpoint import Endpoint, Wish

pytestmark = pytest.mark.root

A, B = "a" * 64, "b" * 64


def _apart(world: World, *publish: str, **more: Any) -> tuple[Endpoint, Endpoint]:
    """Two containers, each in a network of its own; ``more`` is the first's network's."""
    world.create("front", "10.1.0.0/24", **more)
    world.create("back", "10.2.0.0/24")
    return world.attach(A, *publish, network="front"), world.attach(B, network="back")


def test_networks_do_not_reach_each_other(world: World) -> None:
    front, back = _apart(world)

    with tcp_server(front.sandbox, 80) as server:
        talk(server, "", (front.ipv4, 80))
        with pytest.raises(TimeoutError):
            talk(server, back.sandbox, (front.ipv4, 80), timeout_s=0.2)


def test_published_port_is_reached_from_another_network(world: World) -> None:
    front, back = _apart(world, "8080:80")

    with tcp_server(front.sandbox, 80) as server:
        talk(server, back.sandbox, ("10.2.0.1", 8080))


def test_internal_network_leads_nowhere(world: World, wire: str) -> None:
    world.create("inner", "10.1.0.0/24", Internal=True)
    first, second = world.attach(A, "8080:80", network="inner"), world.attach(B, network="inner")

    assert (first.gateway, first.ports) == ("", ())
    assert len(netns.within(first.sandbox, _routes)) == 1
    with tcp_server(first.sandbox, 80) as server:
        talk(server, second.sandbox, (first.ipv4, 80))
        with pytest.raises(TimeoutError):
            talk(server, wire, (first.ipv4, 80), timeout_s=0.2)


def _routes() -> list[str]:
    return Path("/proc/thread-self/net/route").read_text().splitlines()[1:]


def test_internal_network_is_shut_also_for_who_routes_around(world: World, wire: str) -> None:
    world.create("inner", "10.1.0.0/24", Internal=True)
    endpoint = world.attach(A, network="inner")
    command = ["nsenter", f"--net={endpoint.sandbox}", "ip", "route", "add", "default", "via", "10.1.0.1"]
    subprocess.run(command, check=True)

    with tcp_server(wire, 80) as server, pytest.raises(TimeoutError):
        talk(server, endpoint.sandbox, (WIRE_THERE, 80), timeout_s=0.2)


def test_containers_of_a_network_without_icc_reach_the_host_and_not_each_other(world: World, bridge_nf: None) -> None:
    world.create("shy", "10.1.0.0/24", Options={"com.docker.network.bridge.enable_icc": "false"})
    first, second = world.attach(A, "8080:80", network="shy"), world.attach(B, network="shy")

    with tcp_server(first.sandbox, 80) as server:
        talk(server, "", (first.ipv4, 80))
        talk(server, second.sandbox, ("10.1.0.1", 8080))
        with pytest.raises(OSError, match=r"timed out|No route"):
            talk(server, second.sandbox, (first.ipv4, 80), timeout_s=0.2)


def test_routed_network_keeps_addresses_and_opens_published_ports_only(world: World, wire: str) -> None:
    world.create("routed", "10.1.0.0/24", Options={"com.docker.network.bridge.gateway_mode_ipv4": "routed"})
    endpoint = world.attach(A, "8080:80", network="routed")

    with tcp_server(endpoint.sandbox, 80) as server, tcp_server(endpoint.sandbox, 81) as closed:
        assert talk(server, wire, (endpoint.ipv4, 80)) == WIRE_THERE
        with pytest.raises(TimeoutError):
            talk(closed, wire, (endpoint.ipv4, 81), timeout_s=0.2)
    with tcp_server(wire, 90) as server:
        assert talk(server, endpoint.sandbox, (WIRE_THERE, 90)) == endpoint.ipv4


def test_unprotected_network_lets_all_ports_be_reached(world: World, wire: str) -> None:
    world.create("open", "10.1.0.0/24", Options={"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"})
    endpoint = world.attach(A, network="open")

    with tcp_server(endpoint.sandbox, 81) as server:
        talk(server, wire, (endpoint.ipv4, 81))


def test_ports_are_published_on_the_address_that_the_network_names(world: World, wire: str) -> None:
    world.create("local", "10.1.0.0/24", Options={"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"})
    endpoint = world.attach(A, "8080:80", network="local")

    assert [port.host_ip for port in endpoint.ports] == ["127.0.0.1"]


def test_network_without_masquerade_shows_its_addresses(world: World, wire: str) -> None:
    world.create("plain", "10.1.0.0/24", Options={"com.docker.network.bridge.enable_ip_masquerade": "false"})
    endpoint = world.attach(A, network="plain")

    with tcp_server(wire, 90) as server:
        assert talk(server, endpoint.sandbox, (WIRE_THERE, 90)) == endpoint.ipv4


def test_rules_of_a_removed_network_are_gone(world: World) -> None:
    before = ruleset()
    world.create("front", "10.1.0.0/24")
    during = ruleset()
    world.remove("front")

    assert "10.1.0.0/24" in during
    assert ruleset() == before
    assert world.leftovers() == NOTHING


def test_two_containers_may_publish_one_port_on_two_addresses(world: World) -> None:
    first, second = world.attach(A, "127.0.0.1:8080:80"), world.attach(B, "127.0.0.2:8080:80")

    with tcp_server(first.sandbox, 80) as one, tcp_server(second.sandbox, 80) as other:
        talk(one, "", ("127.0.0.1", 8080))
        talk(other, "", ("127.0.0.2", 8080))


def test_ports_follow_the_way_out(world: World, wire: str) -> None:
    world.create("front", "10.1.0.0/24")
    world.create("main", "10.2.0.0/24")
    front, main = world.attach_all(A, "8080:80", wishes=[Wish("front"), Wish("main", gateway_priority=1)])
    assert (len(front.ports), len(main.ports)) == (0, 1)

    with tcp_server(front.sandbox, 80) as server:
        talk(server, wire, ("198.51.100.1", 8080))
        (left,) = world.disconnect(A, "main")
        assert len(left.ports) == 1
        talk(server, wire, ("198.51.100.1", 8080))
        with pytest.raises(OSError, match="in use"), socket.socket() as other:
            other.bind(("0.0.0.0", 8080))


def test_isolated_network_has_no_address_on_the_host(world: World) -> None:
    options = {f"com.docker.network.bridge.gateway_mode_ipv{version}": "isolated" for version in (4, 6)}
    network = world.create("alone", "10.1.0.0/24", "fd00:1::/64", EnableIPv6=True, Internal=True, Options=options)
    first, second = world.attach(A, network="alone"), world.attach(B, network="alone")

    assert _addresses_of(network.bridge) == []
    with tcp_server(first.sandbox, 80, "::") as server:
        for address in (first.ipv4, first.ipv6):
            talk(server, second.sandbox, (address, 80))


def test_bridge_may_be_without_an_ipv4_address(world: World) -> None:
    options = {"com.docker.network.bridge.inhibit_ipv4": "true"}
    network = world.create("shy", "10.1.0.0/24", "fd00:1::/64", EnableIPv6=True, Options=options)

    found = _addresses_of(network.bridge)
    assert ("fd00:1::1" in found, [address for address in found if "." in address]) == (True, [])


def _addresses_of(bridge: str) -> list[str]:
    with Rtnetlink() as host:
        link = host.link(bridge)
        assert link
        return [address.address for address in host.addresses() if address.link == link.number]


@pytest.mark.parametrize("mtu", [1300, 1000])  # the kernel has no IPv6 on a link of less than 1,280
def test_containers_of_a_network_have_its_mtu(world: World, mtu: int) -> None:
    world.create("small", "10.1.0.0/24", Options={"com.docker.network.driver.mtu": str(mtu)})
    endpoint = world.attach(A, network="small")

    with Rtnetlink() as host:
        link = host.link(endpoint.host_link)
    assert link
    assert (link.mtu, netns.within(endpoint.sandbox, _mtu)) == (mtu, mtu)


def _mtu() -> int:
    with Rtnetlink() as inside:
        link = inside.link("eth0")
        assert link
        return link.mtu


def test_version_6_is_shut_where_version_4_is(world: World, wire: str, bridge_nf: None) -> None:
    icc = {"com.docker.network.bridge.enable_icc": "false"}
    world.create("front", "10.1.0.0/24", "fd00:1::/64", EnableIPv6=True, Options=icc)
    world.create("back", "10.2.0.0/24", "fd00:2::/64", EnableIPv6=True)
    own, neighbour = world.attach(A, "8080:80", network="front"), world.attach(B, network="front")
    stranger = world.attach("c" * 64, network="back")

    with tcp_server(own.sandbox, 80, "::") as server:
        talk(server, "", (own.ipv6, 80))
        for place in (neighbour.sandbox, stranger.sandbox, wire):
            with pytest.raises(OSError, match=r"timed out|No route|unreachable"):
                talk(server, place, (own.ipv6, 80), timeout_s=0.2)


def test_routed_network_keeps_addresses_of_version_6(world: World, wire: str) -> None:
    routed = {"com.docker.network.bridge.gateway_mode_ipv6": "routed"}
    world.create("routed", "10.1.0.0/24", "2001:db8:1::/64", EnableIPv6=True, Options=routed)
    own = world.attach(A, "8080:80", network="routed")

    with tcp_server(own.sandbox, 80, "::") as server, tcp_server(own.sandbox, 81, "::") as closed:
        assert talk(server, wire, (own.ipv6, 80)) == WIRE_THERE6
        with pytest.raises(TimeoutError):
            talk(closed, wire, (own.ipv6, 81), timeout_s=0.2)
    with tcp_server(wire, 90, "::") as server:
        assert talk(server, own.sandbox, (WIRE_THERE6, 90)) == own.ipv6


def _told(world: World, **told: Any) -> World:
    """The same world as the next process has it, which was told something else."""
    world.defaults = NetworkDefaults(**told)
    world.reborn()
    world.start()
    return world


def test_published_ports_are_reached_by_their_own_addresses_where_that_is_allowed(world: World, wire: str) -> None:
    _told(world, direct=True).create("front", "10.1.0.0/24", "2001:db8:1::/64", EnableIPv6=True)
    own = world.attach(A, "8080:80", "8081:80", "8083:83", "127.0.0.1:8082:82", network="front")

    with tcp_server(own.sandbox, 80) as server, tcp_server(own.sandbox, 82) as local:
        assert talk(server, wire, (own.ipv4, 80)) == WIRE_THERE
        with pytest.raises(TimeoutError):
            talk(local, wire, (own.ipv4, 82), timeout_s=0.2)
    with tcp_server(own.sandbox, 83, "::") as server:
        assert talk(server, wire, (own.ipv6, 83)) == WIRE_THERE6
    world.release(A)
    assert world.leftovers()["elements"] == []


def test_marked_packets_are_let_in_whatever_they_are(world: World, wire: str) -> None:
    own = _told(world, accepted_mark="0x1/0x3").attach(A)
    marking = "table inet m { chain c { type filter hook prerouting priority -200; tcp dport 81 meta mark set 5; }; }"

    with tcp_server(own.sandbox, 81) as server, tcp_server(own.sandbox, 82) as closed:
        with pytest.raises(TimeoutError):
            talk(server, wire, (own.ipv4, 81), timeout_s=0.2)
        subprocess.run(["nft", marking], check=True)
        talk(server, wire, (own.ipv4, 81))
        with pytest.raises(TimeoutError):
            talk(closed, wire, (own.ipv4, 82), timeout_s=0.2)


def test_default_bridge_goes_when_there_is_to_be_none_and_comes_back(world: World) -> None:
    world.attach(A)
    with Rtnetlink() as host:
        assert host.link("docker0")
    world.release(A)

    _told(world, bridge_name="none")
    with Rtnetlink() as host:
        assert host.link("docker0") is None
    with pytest.raises(NotFound, match="network bridge not found"):
        world.attach(A)
    with pytest.raises(Forbidden, match="predefined bridge network"):
        world.create("bridge")

    assert _told(world).attach(A).ipv4 == "172.17.0.2"
