from __future__ import annotations

from wharf.network.pools import Pool
from wharf.network.records import Network
from wharf.network.subnets import with_pools


def test_what_the_request_left_open_is_chosen_beside_what_is_busy() -> None:
    network = Network("a" * 64, "n", "bridge", "", pools=(Pool("fd00::/64"),), ipv6=True)

    assert with_pools(network, ["172.18.0.0/16"], key="k").pools == (
        Pool("fd00::/64", "fd00::1"),
        Pool("172.19.0.0/22", "172.19.0.1"),
    )
