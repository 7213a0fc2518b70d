from __future__ import annotations

from wharf.network.endpoint import Endpoint
from wharf.network.ports import Reach
from wharf.network.reach import reach_of
from wharf.network.records import Network

_BRIDGE = "com.docker.network.bridge."


def _endpoint(network: str, driver: str = "bridge", **gateways: str) -> Endpoint:
    return Endpoint("e" + network, "c", network, network, "", "", 24, gateways.get("gateway", ""), "", (), "", driver,
                    gateway6=gateways.get("gateway6", ""))  # fmt: skip


def _reach(*endpoints: Endpoint, plugins: tuple[str, ...] = (), **options: str) -> Reach:
    def network_of(name: str) -> Network:
        return Network(name, name, "bridge", "2026-01-01T00:00:00Z", options=options)

    return reach_of(endpoints, network_of, plugged=lambda network: network.name in plugins)


def test_container_is_reached_by_each_version_that_leads_out() -> None:
    assert _reach(_endpoint("a", gateway="10.0.0.1")) == Reach((4,))
    assert _reach(_endpoint("a", gateway="10.0.0.1"), _endpoint("b", gateway6="fd00::1")) == Reach((4, 6))
    assert _reach(_endpoint("internal")) == Reach(())


def test_network_says_how() -> None:
    options = {f"{_BRIDGE}gateway_mode_ipv6": "routed", f"{_BRIDGE}host_binding_ipv4": "127.0.0.1"}
    found = _reach(_endpoint("a", gateway="10.0.0.1", gateway6="fd00::1"), **options)

    assert found == Reach((4, 6), routed=(6,), default_ip="127.0.0.1")


def test_wire_publishes_nothing_and_a_plugin_may() -> None:
    wire, plugged = _endpoint("lan", "macvlan", gateway="192.0.2.1"), _endpoint("p", "ptp")

    assert _reach(wire) == Reach(())
    assert _reach(wire, plugged, plugins=("p",)) == Reach((4,), plugin="ep")
