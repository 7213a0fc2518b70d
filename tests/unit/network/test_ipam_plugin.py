from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.errors import Unavailable, WharfError
from wharf.network.ipam_plugin import IpamPlugin, PoolGiven, Requirements, pool_of
from wharf.plugins.calls import Address


def test_what_a_plugin_needs_is_nothing_unless_it_says_so(tmp_path: Path) -> None:
    plugin = IpamPlugin("p", Address(f"unix://{tmp_path}/p.sock"))
    with fake_plugin(tmp_path / "p.sock", "IpamDriver") as server:
        assert plugin.requirements() == Requirements(mac=False, replay=False)
        server.answers["/IpamDriver.GetCapabilities"] = {"RequiresMACAddress": True, "RequiresRequestReplay": 1}
        assert plugin.requirements() == Requirements(mac=True, replay=False)
        server.answers["/IpamDriver.GetCapabilities"] = {"Err": "what?"}
        assert plugin.requirements() == Requirements(mac=False, replay=False)
        with pytest.raises(Unavailable, match="tells no address space"):
            plugin.space()
        server.answers["/IpamDriver.RequestAddress"] = {"Address": "10.0.0.1/24"}
        assert plugin.request_address("id", "", None) == "10.0.0.1"
        server.answers["/IpamDriver.RequestAddress"] = {"Address": "ten"}
        with pytest.raises(Unavailable, match="the IPAM plugin p answers RequestAddress with what cannot be"):
            plugin.request_address("id", "", None)
        server.answers["/IpamDriver.RequestPool"] = {"Err": "full"}
        with pytest.raises(WharfError, match="remote: full"):
            plugin.request_pool("s", "", "", {}, 4)
        assert server.asked[-1][1] == {"AddressSpace": "s", "Pool": "", "SubPool": "", "Options": {}, "V6": False}


def test_a_pool_is_read_with_the_gateway_that_comes_along() -> None:
    told = {"PoolID": "i", "Pool": "10.1.0.0/24", "Data": {"com.docker.network.gateway": "10.1.0.254/24"}}
    assert pool_of(told, 4) == PoolGiven("i", "10.1.0.0/24", "10.1.0.254")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"PoolID": "i", "Pool": "fd00::/64"},
        {"PoolID": 5, "Pool": "10.1.0.0/24"},
        {"PoolID": "i", "Pool": "10.1.0.0/24", "Data": "x"},
        {"PoolID": "i", "Pool": "10.1.0.0/24", "Data": {"com.docker.network.gateway": "here"}},
    ],
)
def test_what_is_no_pool_is_none(told: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        pool_of(told, 4)
