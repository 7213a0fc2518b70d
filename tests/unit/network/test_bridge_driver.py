from __future__ import annotations

import pytest

from wharf.errors import Forbidden, InvalidArgument, WharfError
from wharf.network.bridge_driver import BridgeDriver
from wharf.network.pools import Pool
from wharf.network.records import Network


def _network(*subnets: str, **given: str) -> Network:
    pools = tuple(Pool(subnet) for subnet in subnets)
    return Network("a" * 64, "back", "bridge", "2026-01-01T00:00:00Z", pools, options=given)


@pytest.mark.parametrize(
    ("network", "kind", "fault"),
    [
        (_network(x="y"), InvalidArgument, "option x"),
        (_network("10.0.0.0/24", "10.0.1.0/24"), Forbidden, "does not support multiple subnets of one IP version"),
    ],
)
def test_network_that_no_bridge_can_be_is_refused(network: Network, kind: type[WharfError], fault: str) -> None:
    with pytest.raises(kind, match=fault):
        BridgeDriver("k", rebuild_firewall=lambda: None).check(network)


def test_subnets_of_both_versions_are_no_fault() -> None:
    network = _network("10.0.0.0/24", "fd00::/64")

    assert BridgeDriver("k", rebuild_firewall=lambda: None).check(network) is network
