"""The driver of networks that CNI plugins make: nothing is on the host before a container is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from wharf.network import pools, subnets
from wharf.network.cni import CniNetworks
from wharf.network.driver import HostDriver, Traits
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network

log = logging.getLogger(__name__)


class CniDriver(HostDriver):
    """Endpoints are made from the host's side, by ``cni``, when the sandbox is there."""

    traits = Traits(limits=False)

    def __init__(self, cni: CniNetworks, key: str, *, ranges: Sequence[tuple[str, int]] = ()) -> None:
        self._cni, self._key, self._ranges = cni, key, ranges

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Choose pools where the host's own configuration does not."""
        if not self._cni.require(network):
            return network, ""
        foreign = [pool for other in others for pool in other.pools]
        busy = [pool.subnet for pool in foreign]
        planned = subnets.with_pools(network, busy, key=self._key, ranges=self._ranges)
        pools.require_disjoint(planned.pools, foreign)
        return planned, ""

    def part(self, endpoint: Endpoint) -> None:
        """Let the plugins undo their part, whether or not they did it."""
        for complaint in self._cni.delete(endpoint.sandbox, endpoint):
            log.warning("container %s leaves network: %s", endpoint.container_id[:12], complaint)
