from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.network_plugin import FakeNetworkPlugin, fake_network_plugin

from wharf.errors import InvalidArgument, NotFound, Unavailable, WharfError
from wharf.network.addressing import Addressing
from wharf.network.endpoint import Endpoint, Wish
from wharf.network.pools import Pool
from wharf.network.records import Network
from wharf.plugins.calls import Address

NET = Network("1" * 64, "n", "bridge", "2026", ipam_driver="p", ipam_options={"k": "v"})


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[FakeNetworkPlugin]:
    with fake_network_plugin(tmp_path / "p.sock") as running:
        yield running


@pytest.fixture
def addressing(tmp_path: Path) -> Addressing:
    def find(name: str, kind: str) -> Address:
        if (name, kind) != ("p", "IpamDriver"):
            raise NotFound(f'plugin "{name}" not found')
        return Address(f"unix://{tmp_path}/p.sock")

    return Addressing(find, lambda _: NET)


def test_pools_gateways_and_addresses_are_given_and_go_back(
    plugin: FakeNetworkPlugin, addressing: Addressing
) -> None:
    asked = replace(NET, pools=(Pool("10.78.0.0/24", ip_range="10.78.0.128/25", auxiliary={"one": "10.78.0.9"}),))
    network = addressing.with_pools(asked, [])
    (pool,) = network.pools
    assert (pool.id, pool.subnet, pool.gateway, pool.ip_range) == (
        "10.78.0.0/24", "10.78.0.0/24", "10.78.0.1", "10.78.0.128/25",
    )  # fmt: skip
    assert network.address_space == "here"
    assert plugin.told("RequestPool") == {
        "AddressSpace": "here",
        "Pool": "10.78.0.0/24",
        "SubPool": "10.78.0.128/25",
        "Options": {"k": "v"},
        "V6": False,
    }
    assert addressing.with_pools(network, []) is network
    wish = addressing.ask(network, Wish("n"))
    assert wish.ipv4 == "10.78.0.2"
    assert plugin.told("RequestAddress") == {"PoolID": "10.78.0.0/24", "Address": "", "Options": None}
    addressing.give_back([(network, wish)])
    addressing.release_pools(network)
    assert plugin.kept == set()


def test_an_address_that_is_asked_for_is_of_the_network(plugin: FakeNetworkPlugin, addressing: Addressing) -> None:
    network = addressing.with_pools(NET, [])
    assert addressing.ask(network, Wish("n", ipv4="10.77.0.7")).ipv4 == "10.77.0.7"
    with pytest.raises(InvalidArgument, match=r"no configured subnet .*10\.1\.1\.1"):
        addressing.ask(network, Wish("n", ipv4="10.1.1.1"))


def test_a_plugin_that_needs_a_mac_is_told_one(plugin: FakeNetworkPlugin, addressing: Addressing) -> None:
    plugin.plugin.answers["/IpamDriver.GetCapabilities"] = {"RequiresMACAddress": True}
    wish = addressing.ask(addressing.with_pools(NET, []), Wish("n"))
    assert wish.mac
    assert plugin.told("RequestAddress")["Options"] == {"com.docker.network.endpoint.macaddress": wish.mac}


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("RequestAddress", {"Err": "full"}, "remote: full"),
        ("RequestAddress", {"Address": "192.168.0.1/24"}, r"gave 192\.168\.0\.1, which is not in 10\.77\.0\.0/24"),
        ("RequestAddress", {}, "answers RequestAddress with what cannot be"),
        ("RequestPool", {"Pool": "10.77.0.0/24"}, "answers RequestPool with what cannot be"),
    ],
)
def test_a_network_that_cannot_be_leaves_nothing(
    plugin: FakeNetworkPlugin, addressing: Addressing, method: str, answer: object, said: str
) -> None:
    plugin.plugin.answers[f"/IpamDriver.{method}"] = answer
    plugin.plugin.answers["/IpamDriver.ReleaseAddress"] = {}
    with pytest.raises(WharfError, match=said):
        addressing.with_pools(NET, [])
    assert plugin.kept == set()


def test_a_pool_of_the_plugins_choice_overlaps_no_other_network(
    plugin: FakeNetworkPlugin, addressing: Addressing
) -> None:
    other = replace(NET, pools=(Pool("10.77.0.0/16"),))
    plugin.plugin.answers["/IpamDriver.ReleasePool"] = {}
    with pytest.raises(Unavailable, match="no pool that overlaps none of other networks"):
        addressing.with_pools(NET, [other])
    assert plugin.asked().count("RequestPool") == plugin.asked().count("ReleasePool")


def test_pools_are_told_again_to_a_plugin_that_keeps_nothing(
    plugin: FakeNetworkPlugin, addressing: Addressing
) -> None:
    network = addressing.with_pools(NET, [])
    before = len(plugin.asked())
    addressing.replay([network])
    assert plugin.asked()[before:] == ["GetCapabilities"]
    plugin.plugin.answers["/IpamDriver.GetCapabilities"] = {"RequiresRequestReplay": True}
    addressing.replay([network, replace(network, ipam_driver="default")])
    assert plugin.asked()[before + 1 :] == ["GetCapabilities", "RequestPool", "RequestAddress"]


def test_what_cannot_go_back_holds_nothing_up(addressing: Addressing, caplog: pytest.LogCaptureFixture) -> None:
    network = replace(NET, pools=(Pool("10.77.0.0/24", "10.77.0.1", id="x"),), address_space="here")
    addressing.release_pools(network)
    assert "addresses of network n: the IPAM plugin p does not answer" in caplog.text
    endpoint = Endpoint("e", "c", "n", "n", "", "10.77.0.5", 24, "", "", (), "")
    addressing.release([endpoint])
