from __future__ import annotations

from dataclasses import replace

import pytest

from wharf.errors import InvalidArgument
from wharf.network import options
from wharf.network.defaults import AddressPool, NetworkDefaults
from wharf.network.endpoint import Endpoint
from wharf.network.pools import Pool
from wharf.network.records import Network
from wharf.network.request import builtin


@pytest.mark.parametrize(
    ("told", "pool"),
    [
        ({}, Pool("172.17.0.0/16", "172.17.0.1")),
        ({"bridge_address": "10.9.0.1/24"}, Pool("10.9.0.0/24", "10.9.0.1")),
        (
            {"bridge_address": "10.9.0.1/24", "bridge_range": "10.9.0.128/25"},
            Pool("10.9.0.0/24", "10.9.0.1", "10.9.0.128/25"),
        ),
        ({"bridge_range": "172.17.4.0/24"}, Pool("172.17.0.0/16", "172.17.0.1", "172.17.4.0/24")),
        ({"bridge_range": "10.9.0.0/24"}, Pool("10.9.0.0/24", "10.9.0.1")),
    ],
)
def test_default_bridge_has_the_subnet_it_is_told(told: dict[str, str], pool: Pool) -> None:
    made = builtin("bridge")

    assert NetworkDefaults(**told).bridge(made).pools == (pool,)  # type: ignore[arg-type]  # texts alone


def test_default_bridge_has_ipv6_and_options_when_told() -> None:
    told = NetworkDefaults(
        ipv6=True, bridge_range6="fd00:1::/64", mtu=1400, icc=False, masquerade=False, host_address="127.0.0.1"
    )
    found = told.bridge(builtin("bridge"))

    assert (found.ipv6, found.pools_of(6)) == (True, [Pool("fd00:1::/64", "fd00:1::1")])
    assert options.bridge_options(found.options) == options.BridgeOptions(
        icc=False, masquerade=False, mtu=1400, host_ip="127.0.0.1"
    )


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"bridge_address": "10.9.0.0/24"}, "bip: 10.9.0.0/24 is the subnet"),
        ({"bridge_address": "nowhere"}, "bip"),
        ({"bridge_address": "10.9.0.1/24", "bridge_range": "10.8.0.0/24"}, "fixed-cidr: 10.8.0.0/24 is not within"),
        ({"bridge_range": "10.9.0.1/24"}, "fixed-cidr"),
        ({"ipv6": True}, "fixed-cidr-v6 or bip6"),
        ({"bridge_name": "br0", "bridge_address": "10.9.0.1/24"}, "You specified -b & --bip"),
        ({"bridge_name": "br0", "mtu": 1400}, "mtu: br0 is not made here"),
        ({"accepted_mark": "x"}, "invalid firewall mark 'x'"),
        ({"bridge_gateway": "10.9.0.1"}, "default-gateway: 10.9.0.1 is not another address of the default bridge's"),
        ({"bridge_gateway": "172.17.0.1"}, "default-gateway: 172.17.0.1 is not another"),
        ({"bridge_gateway": "nowhere"}, "default-gateway: 'nowhere' does not"),
        ({"bridge_gateway6": "fd00::1"}, "default-gateway-v6: the default bridge has no IPv6"),
        ({"mtu": 1}, "not between 68"),
        ({"driver_options": {"bridge": {"x": "y"}}}, "option x"),
        ({"driver_options": {"overlay": {}}}, "driver overlay"),
    ],
)
def test_what_cannot_be_is_refused_by_name(told: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault):
        NetworkDefaults(**told)  # type: ignore[arg-type]  # as a test may


@pytest.mark.parametrize(("base", "size"), [("10.0.0.1/8", 24), ("10.0.0.0/24", 16), ("10.0.0.0/24", 32)])
def test_range_of_subnets_that_do_not_fit_is_refused(base: str, size: int) -> None:
    with pytest.raises(InvalidArgument, match="default-address-pools"):
        AddressPool(base, size)


def test_networks_own_options_are_before_the_defaults() -> None:
    told = NetworkDefaults(driver_options={"bridge": {options.MTU: "1400", options.NAME: "lan"}})
    asked = Network("i", "n", "bridge", "", options={options.MTU: "1300"})

    assert told.filled(asked).options == {options.MTU: "1300", options.NAME: "lan"}
    assert told.filled(Network("i", "n", "null", "")).options == {}


def test_way_of_publishing_is_that_of_all_bridges_that_do_not_say() -> None:
    told = NetworkDefaults(publish="firewall")
    asked = Network("a" * 64, "n", "bridge", "", options={options.PUBLISHING: "docker"})

    found = [told.bridge(builtin("bridge")), told.filled(replace(asked, options={})), told.filled(asked)]
    assert [options.bridge_options(each.options).publish for each in found] == ["firewall", "firewall", "docker"]
    with pytest.raises(InvalidArgument, match="unknown way to publish ports x"):
        NetworkDefaults(publish="x")


def test_containers_of_the_default_bridge_are_led_elsewhere_and_still_find_the_host() -> None:
    told = NetworkDefaults(
        ipv6=True, bridge_range6="fd00:1::/64", bridge_gateway="172.17.0.254", bridge_gateway6="fd00:1::fe"
    )
    found = told.bridge(builtin("bridge"))

    assert [(pool.gateway, pool.leads) for pool in found.pools] == [
        ("172.17.0.1", "172.17.0.254"),
        ("fd00:1::1", "fd00:1::fe"),
    ]
    assert found.pools[0].auxiliary == {"DefaultGatewayIPv4": "172.17.0.254"}  # nobody gets it


def test_bridge_of_the_hosts_has_its_own_subnet() -> None:
    told = NetworkDefaults(bridge_name="br0", bridge_range="10.9.0.128/25", bridge_gateway="10.9.0.2")
    found = told.bridge(builtin("bridge"), "10.9.0.1/24")

    assert found.options[options.NAME] == "br0"
    assert found.pools == (Pool("10.9.0.0/24", "10.9.0.1", "10.9.0.128/25", {"DefaultGatewayIPv4": "10.9.0.2"}),)


@pytest.mark.parametrize(
    ("told", "hosts", "found"),
    [
        ({}, ["h:host-gateway"], ["10.9.0.1"]),
        ({}, ["h:1.2.3.4"], []),
        ({"gateway_addresses": ("1.1.1.1",)}, ["h:host-gateway"], ["1.1.1.1"]),
    ],
)
def test_host_gateway_is_the_bridge_and_not_who_leads_on(
    told: dict[str, object], hosts: list[str], found: list[str]
) -> None:
    pool = Pool("10.9.0.0/24", "10.9.0.1", "", {"DefaultGatewayIPv4": "10.9.0.2"})
    network = replace(builtin("bridge"), pools=(pool,))
    endpoint = Endpoint("e", "c", network.id, "bridge", "", "10.9.0.3", 24, pool.leads, "", (), "")

    defaults = NetworkDefaults(**told)  # type: ignore[arg-type]  # as above
    assert defaults.host_gateways(hosts, [endpoint], lambda _: network) == found
