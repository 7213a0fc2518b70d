"""Published ports beside a firewall of the host's own: come past it, as Docker's do, or obey it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest
from tests.root.network.machines import (
    NOTHING,
    WIRE_HERE,
    WIRE_HERE6,
    WIRE_THERE,
    WIRE_THERE6,
    A,
    B,
    World,
    exchange,
    open_in,
    ruleset,
    talk,
    tcp_server,
)

from wharf.kernel.netlink import Rtnetlink
from wharf.network import judging
from wharf.network.endpoint import Endpoint

pytestmark = pytest.mark.root

_CLOSED = """table inet hosts_own {
\tchain input {
\t\ttype filter hook input priority filter; policy accept;
\t\tiifname "lan" meta l4proto { tcp, udp } th dport 8080-8089 drop
\t}
}
"""


@pytest.fixture
def closed() -> Iterator[None]:
    """A host whose own INPUT rules keep ports shut towards the wire."""
    subprocess.run(["nft", "-f", "-"], input=_CLOSED, text=True, check=True)
    yield
    subprocess.run(["nft", "delete", "table", "inet", "hosts_own"], check=True)


def _open(port: int) -> None:
    rule = f"insert rule inet hosts_own input meta l4proto {{ tcp, udp }} th dport {port} accept"
    subprocess.run(["nft", rule], check=True)


def _attach(world: World, publish: str, *ports: str) -> Endpoint:
    options = {"wharf.network.publish": publish}
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True, Options=options)
    return world.attach(A, *ports, network="dual")


def test_docker_way_comes_past_the_hosts_input_rules(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "docker", "8080:80")

    with tcp_server(own.sandbox, 80, "::") as server:
        talk(server, wire, (WIRE_HERE, 8080))


def test_port_is_shut_until_the_hosts_input_rules_open_it(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "firewall", "8080:80")

    with tcp_server(own.sandbox, 80, "::") as server:
        for address in (WIRE_HERE, WIRE_HERE6):
            with pytest.raises(TimeoutError):
                talk(server, wire, (address, 8080), timeout_s=0.2)
        _open(8080)
        assert talk(server, wire, (WIRE_HERE, 8080)) == f"::ffff:{WIRE_THERE}"
        assert talk(server, wire, (WIRE_HERE6, 8080)) == WIRE_THERE6


def test_datagrams_obey_too(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "firewall", "8081:53/udp", "8085:55/udp")
    _open(8081)

    with open_in(own.sandbox, socket.SOCK_DGRAM, "::") as server:
        server.bind(("::", 53))
        assert exchange(server, wire, (WIRE_HERE, 8081)) == f"::ffff:{WIRE_THERE}"
        assert exchange(server, wire, (WIRE_HERE6, 8081)) == WIRE_THERE6
    with open_in(own.sandbox, socket.SOCK_DGRAM) as server:
        server.bind(("0.0.0.0", 55))
        server.settimeout(0.2)
        with open_in(wire, socket.SOCK_DGRAM) as client:
            client.sendto(b"ahoy", (WIRE_HERE, 8085))
            with pytest.raises(TimeoutError):
                server.recv(16)


def test_refusal_is_the_hosts_own(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "firewall", "8080:80")
    subprocess.run(["nft", "insert rule inet hosts_own input tcp dport 8080 reject with tcp reset"], check=True)

    with tcp_server(own.sandbox, 80, "::") as server, pytest.raises(ConnectionRefusedError):
        talk(server, wire, (WIRE_HERE, 8080))


def test_port_on_one_address_obeys(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "firewall", f"{WIRE_HERE}:8080:80")

    with tcp_server(own.sandbox, 80, "::") as server:
        with pytest.raises(TimeoutError):
            talk(server, wire, (WIRE_HERE, 8080), timeout_s=0.2)
        _open(8080)
        talk(server, wire, (WIRE_HERE, 8080))


def test_host_and_containers_are_not_judged(world: World, wire: str, closed: None, bridge_nf: None) -> None:
    own, neighbour = _attach(world, "firewall", "8080:80"), world.attach(B, network="dual")

    with tcp_server(own.sandbox, 80, "::") as server:
        for place, to in (
            ("", "127.0.0.1"),
            ("", "::1"),
            ("", "10.5.0.1"),
            (neighbour.sandbox, "10.5.0.1"),
            (neighbour.sandbox, "fd00:5::1"),
            (own.sandbox, WIRE_HERE),
        ):
            talk(server, place, (to, 8080))


def test_forward_rules_of_the_host_hold(world: World, wire: str, closed: None) -> None:
    own = _attach(world, "firewall", "8080:80")
    _open(8080)
    chain = "{ type filter hook forward priority filter; policy drop; }"
    subprocess.run(["nft", f"add chain inet hosts_own forward {chain}"], check=True)

    with tcp_server(own.sandbox, 80, "::") as server:
        with pytest.raises(TimeoutError):
            talk(server, wire, (WIRE_HERE, 8080), timeout_s=0.2)
        subprocess.run(["nft", f"add rule inet hosts_own forward ip daddr {own.ipv4} accept"], check=True)
        subprocess.run(["nft", "add rule inet hosts_own forward ct state established accept"], check=True)
        talk(server, wire, (WIRE_HERE, 8080))


def test_nothing_is_left_when_no_network_is_judged(world: World) -> None:
    before = ruleset()
    _attach(world, "firewall", "8080:80")
    world.reborn()
    world.start()
    world.remove("dual")

    assert ruleset() == before
    assert {**world.leftovers(), "veths": []} == NOTHING
    with Rtnetlink() as host:
        assert [host.link(name) for name in judging.links(world.data.key)] == [None, None]


def test_torn_detour_is_mended_with_the_firewall(world: World) -> None:
    _attach(world, "firewall", "8080:80")
    assert world.networks._fabric.mend_firewall(torn=False) is False
    table = world.networks._fabric.table
    subprocess.run(["nft", "flush", "chain", "inet", table, "judge"], check=True)
    assert world.networks._fabric.mend_firewall(torn=False) is True
