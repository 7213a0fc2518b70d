from __future__ import annotations

import socket

import pytest

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, Unavailable
from wharf.lib.ports import PortMapping
from wharf.network.endpoint import PublishedPort
from wharf.network.outside import Pasta
from wharf.network.ports import HostPorts, Reach, places

_IPV4 = Reach((4,))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_address_that_the_host_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"failed to bind host port 198\.51\.100\.77:8080/tcp: cannot assign"):
        HostPorts().reserve([PortMapping(80, "tcp", "198.51.100.77", 8080)], _IPV4)


def test_range_without_a_free_port_is_exhausted() -> None:
    held, port = HostPorts(), _free_port()
    wanted = PortMapping(80, "tcp", "127.0.0.1", port, port)
    held.reserve([PortMapping(80, "tcp", "127.0.0.1", port)], _IPV4)

    with pytest.raises(Unavailable, match="all ports are allocated"):
        held.reserve([wanted], _IPV4)
    held.close()


def test_any_port_is_of_the_ephemeral_range_and_not_given_twice_in_a_row() -> None:
    held = HostPorts()
    first = held.reserve([PortMapping(80, "tcp", "127.0.0.1")], _IPV4)
    held.release(first)
    second = held.reserve([PortMapping(80, "tcp", "127.0.0.1")], _IPV4)
    held.close()

    assert second[0].host_port > first[0].host_port >= 1024


def test_released_port_can_be_had_again() -> None:
    held, port = HostPorts(), _free_port()
    for _ in range(2):
        taken = held.reserve([PortMapping(80, "tcp", "127.0.0.1", port)], _IPV4)
        assert taken == (PublishedPort(80, "tcp", "127.0.0.1", port),)
        held.release(taken)


def test_same_number_of_another_protocol_is_another_port() -> None:
    held, port = HostPorts(), _free_port()
    held.reserve([PortMapping(80, "tcp", "127.0.0.1", port), PortMapping(80, "udp", "127.0.0.1", port)], _IPV4)
    with pytest.raises(Conflict, match="port is already allocated"):
        held.reserve([PortMapping(80, "udp", "", port)], _IPV4)
    held.close()


@pytest.mark.parametrize(
    ("host_ip", "reach", "expected"),
    [
        ("", Reach((4,)), ["0.0.0.0"]),
        ("", Reach((4, 6)), ["0.0.0.0", "::"]),
        ("", Reach((6,)), ["::"]),
        ("", Reach((4, 6), default_ip="127.0.0.1"), ["127.0.0.1"]),
        ("::1", Reach((4, 6)), ["::1"]),
        ("192.0.2.1", Reach(()), ["0.0.0.0"][:0]),
    ],
)
def test_port_is_published_on_every_version_of_ip_that_leads_to_the_container(
    host_ip: str, reach: Reach, expected: list[str]
) -> None:
    assert places(PortMapping(80, "tcp", host_ip), reach) == expected


@pytest.mark.parametrize(("host_ip", "reach"), [("::1", Reach((4,))), ("127.0.0.1", Reach((6,)))])
def test_address_of_a_version_that_the_container_has_not_is_refused_by_name(host_ip: str, reach: Reach) -> None:
    with pytest.raises(NotImplementedHere, match=f"publishing on {host_ip}"):
        places(PortMapping(80, "tcp", host_ip), reach)


def test_same_port_is_held_in_both_versions_or_in_none() -> None:
    held, port = HostPorts(), _free_port()
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::", port))
        with pytest.raises(Conflict, match=rf"\[::\]:{port}/tcp: address already in use"):
            held.reserve([PortMapping(80, "tcp", "", port)], Reach((4, 6)))

    assert {p.host_ip for p in held.reserve([PortMapping(80, "tcp", "", port)], Reach((4, 6)))} == {"0.0.0.0", "::"}
    held.close()


def test_ports_of_a_routed_network_are_opened_and_not_held() -> None:
    reach = Reach((4,), routed=(4,))

    assert HostPorts().reserve([PortMapping(80, "tcp", "", 8080)], reach) == (PublishedPort(80, "tcp", "0.0.0.0", 0),)


def test_sockets_that_let_ports_in_are_given_away_by_names_and_not_bound_again_when_they_are_kept() -> None:
    port = _free_port()
    before, after = (HostPorts(Pasta(0, 1024, lambda _name: "")) for _ in range(2))
    taken = before.reserve([PortMapping(80, protocol, "127.0.0.1", port) for protocol in ("tcp", "udp")], _IPV4)
    listening = before.listening(taken)
    kept = [sock.dup() for sock in listening.values() if sock is not None]
    before.close()

    for each in taken:
        after.hold(each, list(listening))

    assert [sock.getsockname()[1] for sock in kept] == [port, port]
    assert after.listening(taken) == dict.fromkeys(listening)
    with pytest.raises(Conflict, match="port is already allocated"):
        after.reserve([PortMapping(80, "tcp", "127.0.0.1", port)], _IPV4)
    after.release(taken)
    with pytest.raises(Conflict, match="address already in use"):  # whoever keeps it has not let it go
        after.reserve([PortMapping(80, "tcp", "127.0.0.1", port)], _IPV4)
    for sock in kept:
        sock.close()
    assert after.reserve([PortMapping(80, "tcp", "127.0.0.1", port)], _IPV4)
    after.close()


def test_port_that_nobody_keeps_is_bound_again() -> None:
    taken = PublishedPort(80, "tcp", "127.0.0.1", _free_port())
    held = HostPorts(Pasta(0, 1024, lambda _name: ""))

    held.hold(taken, ["127.0.0.1 1/tcp"])

    (sock,) = held.listening([taken]).values()
    assert sock is not None
    assert sock.getsockname()[1] == taken.host_port
    held.close()


def test_nothing_is_given_away_where_nobody_looks_for_what_listens() -> None:
    held = HostPorts()
    taken = held.reserve([PortMapping(80, "tcp", "127.0.0.1", _free_port())], _IPV4)

    assert held.listening(taken) == {}
    held.close()
