"""Networks of others' making: those of network plugins, and those of CNI. A network's record says of which it is."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from wharf.errors import InvalidArgument, NotFound
from wharf.network import pools, subnets
from wharf.network.addressing import Addressing
from wharf.network.cni import CniNetworks
from wharf.network.driver import Driver, HostDriver, Traits
from wharf.network.endpoint import Endpoint
from wharf.network.plugin import Find
from wharf.network.plugin_driver import PluginNetworks
from wharf.network.records import Network

log = logging.getLogger(__name__)

_REMEMBERED: Final = 1024  # more than are ever being made at once


class ForeignDriver(HostDriver):
    """Endpoints are made from the host's side, when the sandbox is there (:meth:`add`)."""

    traits = Traits(limits=False)

    def __init__(
        self,
        cni: CniNetworks,
        plugins: Find,
        key: str,
        network: Callable[[str], Network],
        *,
        ranges: Sequence[tuple[str, int]] = (),
    ) -> None:
        """``network`` finds one by id."""
        self._cni, self._plugins, self._network = cni, PluginNetworks(plugins), network
        self.addressing = Addressing(plugins, network)
        self._key, self._ranges = key, ranges
        self._unmade: deque[str] = deque(maxlen=_REMEMBERED)  # endpoints that this process has not made, or undone

    def planned(self, network: Network, own: Driver | None, others: Sequence[Network]) -> tuple[Network, str]:
        """Return a network of a driver of our ``own``, or of others', with whatever had to be chosen for it.

        Also what the user should hear.

        Raises:
            NotFound: there is no plugin for it, or for its addresses.
            Unavailable, WharfError: what a plugin says, or is not possible here.
        """
        if own is None:
            network = self._identified(network)
        elif network.ipam_driver == "null":
            raise InvalidArgument("ipv4 pool is empty")
        given = self.addressing.with_pools(network, others, self._skipped(network))
        try:
            return (own or self).plan(given, others)
        except BaseException:
            self.addressing.release_pools(given)
            raise

    def _identified(self, network: Network) -> Network:
        """Return a network with whether a network plugin makes it."""
        if network.remote:
            return network
        try:
            self._plugins.plugin(network.driver).require()
        except NotFound:
            return network
        return replace(network, remote=True)

    def _skipped(self, network: Network) -> Sequence[int]:
        """Return the versions of IP in which a network needs no gateway's address."""
        if not network.remote:
            return ()
        told = self._plugins.plugin(network.driver).skips_gateways(network)
        return [version for version, skips in zip((4, 6), told, strict=True) if skips]

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Choose pools where neither CNI's own configuration does nor the plugin itself."""
        if network.ipam_driver == "null" or (not network.remote and not self._cni.require(network)):
            return network, ""
        foreign = [pool for other in others for pool in other.pools]
        busy = [pool.subnet for pool in foreign]
        planned = subnets.with_pools(network, busy, key=self._key, ranges=self._ranges)
        pools.require_disjoint(planned.pools, foreign)
        return planned, ""

    def prepare(self, network: Network) -> None:
        """Have a network plugin make its network."""
        if network.remote:
            self._plugins.make(network)

    def dismantle(self, network: Network) -> None:
        """Have a network plugin remove its network."""
        if network.remote:
            self._plugins.unmake(network)

    def publishes(self, network: Network) -> bool:
        """Return whether others publish the ports of containers in a network."""
        return network.remote or self._cni.publishes(network)

    def plug(self, path: str, endpoints: Sequence[Endpoint], mine: Callable[[Endpoint], bool]) -> list[Endpoint]:
        """Make those of a container's endpoints that are ``mine`` in the sandbox ``path``; return all.

        What was made stays when this raises: :meth:`part` undoes it.

        Raises:
            Unavailable, WharfError: what a plugin says.
        """
        found = list(endpoints)
        self._unmade.extend(endpoint.id for endpoint in endpoints if mine(endpoint))
        for number, endpoint in enumerate(endpoints):
            if mine(endpoint):
                found[number] = self._add(path, endpoint, [*found[:number], *found[number + 1 :]])
                self._unmade.remove(endpoint.id)
        return found

    def _add(self, path: str, endpoint: Endpoint, others: Sequence[Endpoint]) -> Endpoint:
        network = self._network(endpoint.network_id)
        if network.remote:
            return self._plugins.add(path, endpoint, others, internal=network.internal)
        return self._cni.add(path, endpoint)

    def part(self, endpoint: Endpoint) -> None:
        """Let others undo their part, whether or not an earlier process had them do it."""
        if endpoint.id in self._unmade:
            return
        if self._network(endpoint.network_id).remote:
            self._plugins.remove(endpoint)
        else:
            for complaint in self._cni.delete(endpoint.sandbox, endpoint):
                log.warning("container %s leaves network: %s", endpoint.container_id[:12], complaint)
