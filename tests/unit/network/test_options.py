from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.network import options
from wharf.network.options import BridgeOptions, bridge_options, endpoint_options


def test_options_of_a_bridge_are_read() -> None:
    found = bridge_options(
        {
            "com.docker.network.bridge.name": "lan",
            "com.docker.network.bridge.enable_icc": "false",
            "com.docker.network.bridge.enable_ip_masquerade": "0",
            "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
            "com.docker.network.bridge.gateway_mode_ipv6": "routed",
            "com.docker.network.driver.mtu": "1400",
        }
    )

    assert found == BridgeOptions(
        name="lan", icc=False, masquerade=False, host_ip="127.0.0.1", mode_ipv6="routed", mtu=1400
    )


@pytest.mark.parametrize(
    "given",
    [
        {"com.example.unknown": "1"},
        {"com.docker.network.bridge.name": "a/b"},
        {"com.docker.network.bridge.name": "longer-than-fifteen"},
        {"com.docker.network.bridge.enable_icc": "maybe"},
        {"com.docker.network.driver.mtu": "many"},
        {"com.docker.network.bridge.gateway_mode_ipv4": "magic"},
        {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"},
        {"com.docker.network.host_ipv4": "here"},
    ],
)
def test_unknown_option_or_value_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        bridge_options(given)


def test_isolated_mode_is_for_internal_networks() -> None:
    given = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}

    assert bridge_options(given, internal=True).mode(4) == "isolated"


def test_options_of_an_endpoint_are_read() -> None:
    found = endpoint_options(
        {
            options.SYSCTLS: "net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=2",
            options.INTERFACE: "lan0",
        }
    )

    assert found.sysctls == (("net.ipv4.conf.IFNAME.log_martians", "1"), ("net.ipv6.conf.IFNAME.accept_ra", "2"))
    assert found.interface == "lan0"


def test_option_of_an_endpoint_that_nobody_knows_is_named() -> None:
    given = {"com.example.unknown": "1", options.INTERFACE: "lan0"}

    assert options.unknown_to_endpoints(given) == ["com.example.unknown"]
    assert endpoint_options(given) == endpoint_options({options.INTERFACE: "lan0"})


@pytest.mark.parametrize(
    "given",
    [
        {options.SYSCTLS: "net.ipv4.conf.eth0.log_martians=1"},
        {options.SYSCTLS: "net.ipv4.conf.IFNAME.log_martians"},
        {options.SYSCTLS: "net.core.conf.IFNAME.x=1"},
        {options.SYSCTLS: "net.ipv4.conf.IFNAME...=1"},
    ],
)
def test_value_of_an_endpoints_option_that_is_none_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        endpoint_options(given)


@pytest.mark.parametrize(
    ("told", "condition"),
    [
        ("1", "meta mark & 0xffffffff == 0x1"),
        ("0x10/0xf0", "meta mark & 0xf0 == 0x10"),
        ("", "invalid firewall mark ''"),
        ("1/", "invalid firewall mark '1/'"),
        ("a", "invalid firewall mark 'a'"),
        ("4294967296", "must have 32 bits"),
        ("-1", "must have 32 bits"),
    ],
)
def test_mark_is_a_number_and_may_have_a_mask(told: str, condition: str) -> None:
    try:
        found = options.accepted_mark(told)
    except InvalidArgument as error:
        found = str(error)

    assert condition in found
