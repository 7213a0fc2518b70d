from __future__ import annotations

import pytest

from wharf.errors import Unavailable
from wharf.network.endpoint import PublishedPort
from wharf.network.plugin import Interface, creation, interface, joined, options, ports
from wharf.network.pools import Pool
from wharf.network.records import Network

NET = Network("1" * 64, "n", "p", "2026", options={"a": "b"}, internal=True)
NOTHING = {"Address": "", "AddressIPv6": "", "MacAddress": ""}


def test_a_network_is_told_as_docker_tells_it() -> None:
    assert options(NET)["com.docker.network.internal"] is True
    pool = Pool("10.1.0.0/24", "10.1.0.1", auxiliary={"one": "10.1.0.9"})
    told = creation(Network(**{**_fields(NET), "pools": (pool, Pool("fd00::/64")), "ipv6": True}), "space")
    assert told["IPv4Data"] == [
        {
            "AddressSpace": "space",
            "Pool": "10.1.0.0/24",
            "Gateway": "10.1.0.1/24",
            "AuxAddresses": {"one": "10.1.0.9/24"},
        }
    ]
    assert told["IPv6Data"] == [{"AddressSpace": "space", "Pool": "fd00::/64"}]


def _fields(network: Network) -> dict[str, object]:
    return {name: getattr(network, name) for name in Network.__slots__}


def test_ports_are_told_by_the_numbers_of_their_protocols() -> None:
    told = ports([PublishedPort(53, "udp", "127.0.0.1", 5353)])
    assert told["com.docker.network.endpoint.exposedports"] == [{"Proto": 17, "Port": 53}]
    assert told["com.docker.network.portmap"] == [
        {"Proto": 17, "IP": "", "Port": 53, "HostIP": "127.0.0.1", "HostPort": 5353, "HostPortEnd": 5353}
    ]


def test_a_plugin_chooses_what_was_left_open_and_may_repeat_what_was_not() -> None:
    chosen = interface("p", {"Address": "10.1.0.5/24", "MacAddress": "02:AA:00:00:00:01"}, NOTHING)
    assert chosen == Interface("10.1.0.5/24", "", "02:aa:00:00:00:01")
    own = {**NOTHING, "Address": "10.1.0.5/24"}
    assert interface("p", {"Address": "10.1.0.5/24"}, own).ipv4 == "10.1.0.5/24"
    assert interface("p", None, own) == Interface("", "", "")
    with pytest.raises(Unavailable, match=r"changes Address from 10\.1\.0\.5/24 to 10\.1\.0\.6/24"):
        interface("p", {"Address": "10.1.0.6/24"}, own)


@pytest.mark.parametrize(
    "told", [{"Address": "fe80::1/64"}, {"AddressIPv6": "10.0.0.1"}, {"MacAddress": "1"}, {"MacAddress": 5}, [1], "x"]
)
def test_an_interface_that_cannot_be_is_told(told: object) -> None:
    with pytest.raises(Unavailable, match="answers CreateEndpoint with nonsense"):
        interface("p", told, NOTHING)


def test_what_is_to_be_done_in_a_sandbox_is_read() -> None:
    found = joined(
        "p",
        {
            "InterfaceName": {"SrcName": "v1", "DstPrefix": "eth"},
            "GatewayIPv6": "fd00::1",
            "StaticRoutes": [
                {"Destination": "10.9.0.1/16", "RouteType": 0, "NextHop": "10.1.0.1"},
                {"Destination": "fd01::/64", "RouteType": 1},
            ],
        },
    )
    assert (found.source, found.prefix, found.gateway, found.gateway6) == ("v1", "eth", "", "fd00::1")
    assert found.routes == (("10.9.0.0/16", "10.1.0.1"), ("fd01::/64", ""))


@pytest.mark.parametrize(
    "told",
    [
        {"InterfaceName": {"SrcName": "a/b"}},
        {"InterfaceName": {"SrcName": "x" * 16}},
        {"InterfaceName": {"DstPrefix": 7}},
        {"InterfaceName": "eth0"},
        {"Gateway": "10.0.0.0/8"},
        {"StaticRoutes": [{}]},
        {"StaticRoutes": ["10.0.0.0/8"]},
        {"StaticRoutes": [{"Destination": "10.0.0.0/8", "NextHop": "fd00::1"}]},
        {"StaticRoutes": [{"Destination": "10.0.0.0/8"}] * 1001},
        {"StaticRoutes": 5},
    ],
)
def test_what_cannot_be_done_in_a_sandbox_is_told(told: dict[str, object]) -> None:
    with pytest.raises(Unavailable, match="answers Join with nonsense"):
        joined("p", told)
