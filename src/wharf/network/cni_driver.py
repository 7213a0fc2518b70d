"""The driver of networks that CNI plugins make: nothing is on the host before a container is there."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.network import pools, sandbox, subnets
from wharf.network.cni import CniNetworks
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network


class CniDriver:
    """What :class:`wharf.network.drivers.Driver` asks for; endpoints are made from the host's side, by ``cni``."""

    def __init__(self, cni: CniNetworks, key: str, *, ranges: Sequence[tuple[str, int]] = ()) -> None:
        self._cni, self._key, self._ranges = cni, key, ranges

    def ready(self, network: Network) -> bool:  # noqa: ARG002  # nothing is to be made of any
        """Return True."""
        return True

    def notice(self, network: Network) -> str:  # noqa: ARG002  # there is never one
        """Return ''."""
        return ""

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Choose pools where the host's own configuration does not."""
        if not self._cni.require(network):
            return network, ""
        foreign = [pool for other in others for pool in other.pools]
        busy = [pool.subnet for pool in foreign]
        planned = subnets.with_pools(network, busy, key=self._key, ranges=self._ranges)
        pools.require_disjoint(planned.pools, foreign)
        return planned, ""

    def prepare(self, network: Network) -> None:
        """Do nothing."""

    def dismantle(self, network: Network) -> None:
        """Do nothing."""

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        """Do nothing: a plugin is run in the host's network."""
