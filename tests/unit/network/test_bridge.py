from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wharf.errors import Conflict, NotFound, Unavailable, WharfError
from wharf.kernel.netlink import Link
from wharf.network import request
from wharf.network.bridge import BridgePlan, own_address, plan
from wharf.network.options import NAME
from wharf.network.pools import Pool
from wharf.network.records import Network

_BRIDGE = request.builtin("bridge")
_POOL = Pool("172.17.0.0/16", "172.17.0.1")


def _link(number: int, name: str, alias: str = "", kind: str = "bridge") -> Link:
    return Link(number, name, alias, kind, "02:00:00:00:00:01", 1500, up=True, carries=True, master=0)


def _network(**fields: Any) -> Network:
    pools = (Pool("10.1.0.0/24", "10.1.0.1"), Pool("fd00::/64", "fd00::1"))
    return Network("a" * 64, "back", "bridge", "2026-01-01T00:00:00Z", **{"pools": pools, "ipv6": True, **fields})


def test_host_without_a_free_subnet_is_an_error() -> None:
    with pytest.raises(Unavailable, match="fully subnetted"):
        plan([], [("172.16.0.0/12", 1), ("192.168.0.0/16", 1)], _BRIDGE, key="k")


def test_first_use_takes_dockers_own_names() -> None:
    expected = BridgePlan("docker0", (_POOL,), "wharf:k", addresses=(("172.17.0.1", 16),))

    assert plan([], [("10.0.0.0/8", 1)], _BRIDGE, key="k") == expected


def test_own_bridge_is_used_again_and_its_own_route_is_no_hindrance() -> None:
    found = plan([_link(7, "docker0", "wharf:k")], [("172.17.0.0/16", 7)], _BRIDGE, key="k")

    assert (found.name, found.pools, found.exists) == ("docker0", (_POOL,), True)


def test_bridge_of_another_root_is_left_alone() -> None:
    links = [_link(7, "docker0", "wharf:other"), _link(8, "wharf0")]
    found = plan(links, [("172.17.0.1/16", 7), ("172.18.3.0/24", 8)], _BRIDGE, key="k")

    assert (found.name, found.pools) == ("wharf1", (Pool("172.19.0.0/22", "172.19.0.1"),))
    assert found.notice == (
        "docker0 belongs to something else: using bridge wharf1; 172.17.0.0/16 is in use: using subnet 172.19.0.0/22"
    )


def test_default_route_is_no_subnet_in_use() -> None:
    assert plan([], [("0.0.0.0/0", 1)], _BRIDGE, key="k").pools == (_POOL,)


def test_network_of_the_user_has_its_gateways_on_a_bridge_named_for_it() -> None:
    found = plan([], [], _network(), key="k")

    assert found.name == "br-" + "a" * 12
    assert found.addresses == (("10.1.0.1", 24), ("fd00::1", 64))


def test_bridge_of_the_users_choice_may_be_there_already() -> None:
    network = _network(options={"com.docker.network.bridge.name": "lan"})

    assert plan([_link(3, "lan")], [], network, key="k").exists
    with pytest.raises(Conflict, match="is no bridge"):
        plan([_link(3, "lan", kind="veth")], [], network, key="k")


def test_isolated_network_has_no_address_on_the_host() -> None:
    options = {f"com.docker.network.bridge.gateway_mode_ipv{v}": "isolated" for v in (4, 6)}

    assert plan([], [], _network(internal=True, options=options), key="k").addresses == ()


def test_options_reach_the_bridge() -> None:
    options = {"com.docker.network.bridge.enable_icc": "false", "com.docker.network.driver.mtu": "1400"}
    found = plan([], [], _network(options=options), key="k")

    assert (found.isolated, found.mtu) == (True, 1400)


_ADDRESSES = [(1, "192.0.2.7/24"), (3, "fe80::1/64"), (3, "10.9.0.1/24"), (3, "10.9.1.1/24")]


def test_bridge_of_the_hosts_is_the_default_one_with_its_address() -> None:
    links = [_link(1, "eth0", kind=""), _link(3, "br0"), _link(4, "bare")]
    network = replace(_BRIDGE, options={NAME: "br0"})
    wanted = plan(links, [("10.9.0.1/24", 3)], network, key="k")

    assert own_address(links, _ADDRESSES, "br0") == "10.9.0.1/24"
    assert (wanted.name, wanted.exists, wanted.pools) == ("br0", True, network.pools)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("br9", NotFound, "there is no bridge br9"),
        ("eth0", NotFound, "no bridge eth0"),
        ("bare", Conflict, "no IPv4"),
    ],
)
def test_bridge_that_is_not_there_or_has_no_address_is_refused(name: str, error: type[WharfError], said: str) -> None:
    links = [_link(1, "eth0", kind=""), _link(4, "bare")]

    with pytest.raises(error, match=said):
        own_address(links, _ADDRESSES, name)
