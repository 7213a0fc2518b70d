from __future__ import annotations

import socket

import pytest

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, Unavailable
from wharf.lib.ports import PortMapping
from wharf.network.endpoint import PublishedPort
from wharf.network.ports import HostPorts, require_supported


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_address_that_the_host_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"failed to bind host port 198\.51\.100\.77:8080/tcp: cannot assign"):
        HostPorts().reserve([PortMapping(80, "tcp", "198.51.100.77", 8080)])


def test_range_without_a_free_port_is_exhausted() -> None:
    held, port = HostPorts(), _free_port()
    wanted = PortMapping(80, "tcp", "127.0.0.1", port, port)
    held.reserve([PortMapping(80, "tcp", "127.0.0.1", port)])

    with pytest.raises(Unavailable, match="all ports are allocated"):
        held.reserve([wanted])
    held.close()


def test_any_port_is_of_the_ephemeral_range_and_not_given_twice_in_a_row() -> None:
    held = HostPorts()
    first = held.reserve([PortMapping(80, "tcp", "127.0.0.1")])
    held.release(first)
    second = held.reserve([PortMapping(80, "tcp", "127.0.0.1")])
    held.close()

    assert second[0].host_port > first[0].host_port >= 1024


def test_released_port_can_be_had_again() -> None:
    held, port = HostPorts(), _free_port()
    for _ in range(2):
        taken = held.reserve([PortMapping(80, "tcp", "127.0.0.1", port)])
        assert taken == (PublishedPort(80, "tcp", "127.0.0.1", port),)
        held.release(taken)


def test_same_number_of_another_protocol_is_another_port() -> None:
    held, port = HostPorts(), _free_port()
    held.reserve([PortMapping(80, "tcp", "127.0.0.1", port), PortMapping(80, "udp", "127.0.0.1", port)])
    with pytest.raises(Conflict, match="port is already allocated"):
        held.reserve([PortMapping(80, "udp", "", port)])
    held.close()


@pytest.mark.parametrize("mapping", [PortMapping(80, "sctp"), PortMapping(80, "tcp", "::1", 8080)])
def test_what_cannot_be_published_is_refused_by_name(mapping: PortMapping) -> None:
    with pytest.raises(NotImplementedHere):
        require_supported([mapping])
