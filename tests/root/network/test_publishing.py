"""Published ports over both versions of IP and all protocols, from everywhere: the host, neighbours, the wire."""

from __future__ import annotations

import socket
import subprocess
import threading
from pathlib import Path

import pytest
from tests.root.network import sctp
from tests.root.network.machines import (
    WIRE_HERE,
    WIRE_HERE6,
    WIRE_THERE,
    WIRE_THERE6,
    A,
    B,
    World,
    exchange,
    open_in,
    talk,
    tcp_server,
)

from wharf.kernel import netns
from wharf.network import pools
from wharf.network.endpoint import Endpoint

pytestmark = pytest.mark.root

GATEWAY, GATEWAY6 = "10.5.0.1", "fd00:5::1"


@pytest.fixture
def dual(world: World) -> World:
    """An engine with a network of both versions."""
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True)
    return world


def _places(own: Endpoint, neighbour: Endpoint, wire: str, port: int) -> dict[str, tuple[str, tuple[str, int]]]:
    """Where somebody may be, and where he connects to from there."""
    return {
        "loopback": ("", ("127.0.0.1", port)),
        "loopback 6": ("", ("::1", port)),
        "gateway from the host": ("", (GATEWAY, port)),
        "gateway from the host 6": ("", (GATEWAY6, port)),
        "gateway from a neighbour": (neighbour.sandbox, (GATEWAY, port)),
        "gateway from a neighbour 6": (neighbour.sandbox, (GATEWAY6, port)),
        "gateway from itself": (own.sandbox, (GATEWAY, port)),
        "gateway from itself 6": (own.sandbox, (GATEWAY6, port)),
        "the host's address from a neighbour": (neighbour.sandbox, (WIRE_HERE, port)),
        "the host's address from a neighbour 6": (neighbour.sandbox, (WIRE_HERE6, port)),
        "the host's address from itself": (own.sandbox, (WIRE_HERE, port)),
        "the host's address from itself 6": (own.sandbox, (WIRE_HERE6, port)),
        "wire": (wire, (WIRE_HERE, port)),
        "wire 6": (wire, (WIRE_HERE6, port)),
    }


def test_tcp_port_is_reached_from_everywhere(dual: World, wire: str, bridge_nf: None) -> None:
    own, neighbour = dual.attach(A, "8080:80", network="dual"), dual.attach(B, network="dual")

    with tcp_server(own.sandbox, 80, "::") as server:
        seen = {name: talk(server, *where) for name, where in _places(own, neighbour, wire, 8080).items()}

    assert (seen["wire"], seen["wire 6"]) == (f"::ffff:{WIRE_THERE}", WIRE_THERE6)


def test_udp_port_is_reached_from_everywhere(dual: World, wire: str, bridge_nf: None) -> None:
    own, neighbour = dual.attach(A, "5353:53/udp", network="dual"), dual.attach(B, network="dual")

    with open_in(own.sandbox, socket.SOCK_DGRAM, "::") as server:
        server.bind(("::", 53))
        seen = {name: exchange(server, *where) for name, where in _places(own, neighbour, wire, 5353).items()}

    assert (seen["wire"], seen["wire 6"]) == (f"::ffff:{WIRE_THERE}", WIRE_THERE6)


def test_sctp_port_is_reached_over_both_versions(dual: World, wire: str, bridge_nf: None) -> None:
    own, neighbour = dual.attach(A, "9899:9900/sctp", network="dual"), dual.attach(B, network="dual")

    for place, to in _places(own, neighbour, wire, 9899).values():
        if place != own.sandbox:  # there the one server would hear both sides
            sctp.associate(own.sandbox, 9900, place, to)


def test_every_port_of_a_range_leads_to_its_own(dual: World, wire: str) -> None:
    own = dual.attach(A, "8000-8003:80-83", network="dual")

    assert len(own.ports) == 8
    for number in range(4):
        with tcp_server(own.sandbox, 80 + number, "::") as server:
            talk(server, wire, (WIRE_HERE, 8000 + number))
            talk(server, "", ("::1", 8000 + number))


@pytest.mark.parametrize(
    ("publish", "here", "there"),
    [("127.0.0.1:8080:80", "127.0.0.1", WIRE_HERE), ("[::1]:8080:80", "::1", WIRE_HERE6)],
)
def test_port_on_a_loopback_address_is_the_hosts_alone(
    dual: World, wire: str, publish: str, here: str, there: str
) -> None:
    own = dual.attach(A, publish, network="dual")
    neighbour = dual.attach(B, network="dual")

    with tcp_server(own.sandbox, 80, "::") as server:
        talk(server, "", (here, 8080))
        for place in (wire, neighbour.sandbox):
            with pytest.raises(ConnectionRefusedError):
                talk(server, place, (there, 8080))


def test_wire_that_routes_around_reaches_no_port_of_loopback(dual: World, wire: str) -> None:
    own = dual.attach(A, "127.0.0.1:8080:80", "[::1]:8080:80", network="dual")
    stand_in = pools.loopback_stand_in(dual.data.key)
    for command in (
        f"ip -6 route add {stand_in}/128 via {WIRE_HERE6}",
        f"ip route add 10.5.0.0/24 via {WIRE_HERE}",
        "ip route del local 127.0.0.0/8 dev lo table local",
        "ip route del local 127.0.0.1 dev lo table local",
        f"ip route add 127.0.0.0/8 via {WIRE_HERE} src {WIRE_THERE}",
    ):
        subprocess.run(["nsenter", f"--net={wire}", *command.split()], check=True)
    netns.within(wire, lambda: Path("/proc/sys/net/ipv4/conf/eth0/route_localnet").write_text("1"))

    with tcp_server(own.sandbox, 80, "::") as server:
        for to in ((stand_in, 8080), ("127.0.0.1", 8080), (own.ipv4, 80), (own.ipv6, 80)):
            with pytest.raises(OSError, match=r"timed out|unreachable"):
                talk(server, wire, to, timeout_s=0.15)


def test_loopback_servers_of_the_host_that_nobody_published_stay_the_hosts(dual: World) -> None:
    dual.attach(A, "8080:80", network="dual")

    with tcp_server("", 7777, "::1") as server:
        assert talk(server, "", ("::1", 7777)) == "::1"


def test_withdrawn_port_is_refused_over_both_versions(dual: World) -> None:
    dual.attach(A, "8080:80", network="dual")
    dual.release(A)

    for address in ("127.0.0.1", "::1"):
        with open_in("", socket.SOCK_STREAM, address) as client, pytest.raises(ConnectionRefusedError):
            client.connect((address, 8080))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.5.0.1", "fd00:5::1"])
def test_datagram_to_a_port_where_nobody_listens_is_refused(dual: World, bridge_nf: None, address: str) -> None:
    dual.attach(A, "8080:80/udp", network="dual")

    with open_in("", socket.SOCK_DGRAM, address) as client:
        client.connect((address, 8080))
        client.send(b"ahoy")
        with pytest.raises(ConnectionRefusedError):  # the container's ICMP error has come back to this socket
            client.recv(1)


def test_large_answers_pass_through_loopback(dual: World) -> None:
    own = dual.attach(A, "8080:80", network="dual")

    with tcp_server(own.sandbox, 80, "::") as server:
        for address in ("127.0.0.1", "::1"):
            with open_in("", socket.SOCK_STREAM, address) as client:
                client.connect((address, 8080))
                accepted, _ = server.accept()
                with accepted:
                    accepted.settimeout(30)
                    _pass_through(accepted, client)
                    _pass_through(client, accepted)


def _pass_through(sender: socket.socket, receiver: socket.socket) -> None:
    left = 1 << 18
    sending = threading.Thread(target=sender.sendall, args=(bytes(left),))
    sending.start()
    while left:
        left -= len(receiver.recv(left))
    sending.join()


def test_network_of_version_6_alone_publishes(world: World, wire: str) -> None:
    world.create("six", "fd00:6::/64", EnableIPv4=False, EnableIPv6=True)
    own = world.attach(A, "8080:80", network="six")

    assert (own.ipv4, own.gateway, [port.host_ip for port in own.ports]) == ("", "", ["::"])
    with tcp_server(own.sandbox, 80, "::") as server:
        assert talk(server, wire, (WIRE_HERE6, 8080)) == WIRE_THERE6
        talk(server, "", ("::1", 8080))
    with tcp_server(wire, 90, "::") as server:
        assert talk(server, own.sandbox, (WIRE_THERE6, 90)) == WIRE_HERE6
