"""A network with the subnets that its request left open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wharf.network import pools
from wharf.network.records import Network


def with_pools(network: Network, busy: Iterable[str], *, key: str, ranges: Sequence[tuple[str, int]] = ()) -> Network:
    """Return ``network`` with a pool for each version of IP that it wants, and a gateway in each. Pure.

    Raises:
        Unavailable: none is free.
    """
    found = [pools.complete(pool) for pool in network.pools]
    busy = list(busy)
    for version, wanted in ((4, network.ipv4), (6, network.ipv6)):
        if wanted and not any(pool.version == version for pool in found):
            found.append(pools.choose(version, busy, key=key, ranges=ranges))
    return replace(network, pools=tuple(found))
