"""A plugin of networks and addresses that runs by itself: a bridge a network, a veth an endpoint."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.plugin import FakePlugin, fake_plugin

from wharf.kernel import rtnetlink
from wharf.kernel.netlink import Rtnetlink


class FakeNetworkPlugin:
    """What it was asked, and what it has given and not got back."""

    def __init__(self, plugin: FakePlugin) -> None:
        self.plugin = plugin
        self.kept: set[str] = set()
        self._given = 1

    def asked(self, kind: str = "") -> list[str]:
        """The methods it was asked for, in order."""
        paths = [path for path, _ in self.plugin.asked]
        return [path.rpartition(".")[2] for path in paths if path.startswith(f"/{kind}") and "Activate" not in path]

    def told(self, method: str) -> Any:
        """What it was asked last by that method."""
        return next(body for path, body in reversed(self.plugin.asked) if path.endswith(f".{method}"))

    def create_network(self, asked: dict[str, Any]) -> dict[str, Any]:
        gateway = (asked["IPv4Data"] or [{}])[0].get("Gateway")
        self.kept.add(f"network {asked['NetworkID'][:7]}")
        with Rtnetlink() as host:
            name = f"fake{asked['NetworkID'][:7]}"
            host.execute(rtnetlink.new_bridge(name, mac="02:00:00:00:00:01"), rtnetlink.link_up(name))
            if gateway:
                own = ipaddress.ip_interface(gateway)
                link = host.link(name)
                assert link
                host.execute(rtnetlink.add_address(link.number, str(own.ip), own.network.prefixlen))
        return {}

    def delete_network(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.kept.remove(f"network {asked['NetworkID'][:7]}")
        with Rtnetlink() as host:
            host.execute(rtnetlink.delete_link(f"fake{asked['NetworkID'][:7]}"))
        return {}

    def create_endpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.kept.add(f"endpoint {asked['EndpointID'][:7]}")
        return {"Interface": {} if asked["Interface"]["MacAddress"] else {"MacAddress": "02:aa:00:00:00:01"}}

    def join(self, asked: dict[str, Any]) -> dict[str, Any]:
        own = asked["EndpointID"][:7]
        with Rtnetlink() as host:
            host.execute(rtnetlink.new_veth_here(f"fh{own}", peer=f"fc{own}", peer_mac="02:bb:00:00:00:02"))
            bridge = host.link(f"fake{asked['NetworkID'][:7]}")
            assert bridge
            host.execute(rtnetlink.set_master(f"fh{own}", bridge.number), rtnetlink.link_up(f"fh{own}"))
        return {
            "InterfaceName": {"SrcName": f"fc{own}", "DstPrefix": "net"},
            "Gateway": "10.77.0.1",
            "StaticRoutes": [{"Destination": "10.99.0.0/16", "RouteType": 1}],
        }

    def delete_endpoint(self, asked: dict[str, Any]) -> dict[str, Any]:
        own = asked["EndpointID"][:7]
        self.kept.remove(f"endpoint {own}")
        with Rtnetlink() as host:
            if host.link(f"fc{own}"):  # it was given back under its name
                host.execute(rtnetlink.delete_link(f"fc{own}"))
        return {}

    def request_pool(self, asked: dict[str, Any]) -> dict[str, Any]:
        pool = asked["Pool"] or "10.77.0.0/24"
        self.kept.add(f"pool {pool}")
        return {"PoolID": pool, "Pool": pool, "Data": {}}

    def release_pool(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.kept.remove(f"pool {asked['PoolID']}")
        return {}

    def request_address(self, asked: dict[str, Any]) -> dict[str, Any]:
        network = ipaddress.ip_network(asked["PoolID"])
        address = asked["Address"] or str(network[self._given])
        self._given += 0 if asked["Address"] else 1
        self.kept.add(f"address {address}")
        return {"Address": f"{address}/{network.prefixlen}", "Data": {}}

    def release_address(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.kept.remove(f"address {asked['Address']}")
        return {}


@contextmanager
def fake_network_plugin(path: Path) -> Iterator[FakeNetworkPlugin]:
    """Yield a plugin of networks and addresses that listens at ``path``."""
    with fake_plugin(path, "NetworkDriver") as server:
        plugin = FakeNetworkPlugin(server)
        server.answers |= {
            "/Plugin.Activate": {"Implements": ["NetworkDriver", "IpamDriver"]},
            "/NetworkDriver.GetCapabilities": {"Scope": "local"},
            "/NetworkDriver.CreateNetwork": plugin.create_network,
            "/NetworkDriver.DeleteNetwork": plugin.delete_network,
            "/NetworkDriver.CreateEndpoint": plugin.create_endpoint,
            "/NetworkDriver.Join": plugin.join,
            "/NetworkDriver.DeleteEndpoint": plugin.delete_endpoint,
            "/IpamDriver.GetDefaultAddressSpaces": {"LocalDefaultAddressSpace": "here"},
            "/IpamDriver.GetCapabilities": {},
            "/IpamDriver.RequestPool": plugin.request_pool,
            "/IpamDriver.ReleasePool": plugin.release_pool,
            "/IpamDriver.RequestAddress": plugin.request_address,
            "/IpamDriver.ReleaseAddress": plugin.release_address,
        }
        yield plugin
