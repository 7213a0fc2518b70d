"""Networks that are bridges of the host's: the driver of ``docker0`` and of most networks of the user's own."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from wharf.errors import Conflict, Forbidden
from wharf.kernel import rtnetlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.network import bridge, options, pools, sandbox, subnets
from wharf.network.bridge import BridgePlan, ReadyBridge
from wharf.network.driver import Traits
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network


class BridgeDriver:
    """Bridges of the host with addresses of their own, behind NAT or routed to."""

    traits = Traits(host_link=True)

    def __init__(
        self, key: str, *, rebuild_firewall: Callable[[], None], ranges: Sequence[tuple[str, int]] = ()
    ) -> None:
        self._key = key
        self._ranges = ranges
        self._rebuild_firewall = rebuild_firewall
        self._ready: dict[str, ReadyBridge] = {}
        self._lock = threading.RLock()

    def check(self, network: Network) -> Network:
        """Return ``network``, whose options are a bridge's."""
        options.bridge_options(network.options, internal=network.internal)
        if len(network.pools_of(4)) > 1 or len(network.pools_of(6)) > 1:
            raise Forbidden("bridge driver does not support multiple subnets of one IP version")
        return network

    def ready(self, network: Network) -> bool:
        """Return whether the bridge is up, and there is no reason to look again."""
        return network.id in self._ready

    def notice(self, network: Network) -> str:
        """Return what the user should hear of a network that is ready."""
        ready = self._ready.get(network.id)
        return ready.plan.notice if ready else ""

    def address_of(self, name: str) -> str:
        """Return the address of a bridge that others made, CIDR, empty for no name.

        Raises as :func:`bridge.own_address`.
        """
        if not name:
            return ""
        with Rtnetlink() as host:
            addresses = [(each.link, f"{each.address}/{each.prefix_length}") for each in host.addresses()]
            return bridge.own_address(host.links(), addresses, name)

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Choose bridge and pools, as the host is now."""
        with Rtnetlink() as host:
            links, taken = bridge.observe(host)
        _require_own_bridge(network, others)
        foreign = [pool for other in others for pool in other.pools]
        busy = [cidr for cidr, _ in taken] + [pool.subnet for pool in foreign]
        if not network.builtin:
            network = subnets.with_pools(network, busy, key=self._key, ranges=self._ranges)
            pools.require_disjoint(network.pools, foreign)
        plan = bridge.plan(links, [*taken, *((pool.subnet, 0) for pool in foreign)], network, key=self._key)
        return replace(network, bridge=plan.name, pools=plan.pools), plan.notice

    def prepare(self, network: Network) -> None:
        """Make the bridge and the whole firewall."""
        with self._lock, Rtnetlink() as host:
            self._ready[network.id] = bridge.ensure(host, self._plan_of(host, network))
        self._rebuild_firewall()

    def dismantle(self, network: Network) -> None:
        """Remove the bridge, when it is one of ours, and its part of the firewall."""
        with self._lock, Rtnetlink() as host:
            self._ready.pop(network.id, None)
            if network.bridge:
                self._delete(host, {network.bridge})
        self._rebuild_firewall()

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        """Make a veth pair between sandbox and bridge."""
        ready = self._ready[network.id]
        try:
            sandbox.join_bridge(inside, endpoint, ready, key=self._key)
        except OSError:
            self.look_again(network.id)
            raise

    def part(self, endpoint: Endpoint) -> None:
        """Do nothing: the veth goes with its other end."""

    def look_again(self, network_id: str) -> None:
        """Notice when somebody has removed a network's bridge: it is not ready then."""
        ready = self._ready.get(network_id)
        with Rtnetlink() as host:
            link = host.link(ready.plan.name) if ready else None
        if ready and (link is None or link.number != ready.index):
            self._ready.pop(network_id, None)

    def ready_bridge(self, network_id: str) -> ReadyBridge | None:
        """Return the bridge of a network that is ready."""
        return self._ready.get(network_id)

    def network_of_link(self, index: int) -> str:
        """Return the id of the network whose bridge has or had that index; '' when none should have."""
        return next((network for network, ready in list(self._ready.items()) if ready.index == index), "")

    def networks(self) -> list[str]:
        """Return the ids of the networks whose bridges are there, as far as this process knows."""
        return list(self._ready)

    def mend(self, network: Network, endpoints: Sequence[Endpoint]) -> bool:
        """Make the bridge anew when somebody removed it, and join the links of ``endpoints`` to it.

        Returns whether it had gone.
        """
        with self._lock, Rtnetlink() as host:
            ready = self._ready.get(network.id)
            link = host.link(network.bridge) if ready else None
            if ready is None or (link and link.number == ready.index):
                return False
            ready = self._ready[network.id] = bridge.ensure(host, self._plan_of(host, network))
            for endpoint in endpoints:
                with suppress_errno(errno.ENODEV):  # it is ending, or being made
                    sandbox.rejoin_bridge(host, endpoint, ready)
            return True

    def sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:
        """Remove the links of containers that are not live, and bridges that belong to no network."""
        known = {network.bridge for network in networks}
        with Rtnetlink() as host:
            links = host.links()
            for link in links:
                owner = sandbox.container_of(self._key, link)
                if owner is not None and owner not in live:
                    with suppress_errno(errno.ENODEV):
                        host.execute(rtnetlink.delete_link(link.name))
            self._delete(host, {link.name for link in bridge.of_root(links, self._key)} - known)

    def _plan_of(self, host: Rtnetlink, network: Network) -> BridgePlan:
        """Return the plan for a network that was planned before, maybe by an earlier process."""
        links, taken = bridge.observe(host)
        own = {link.number for link in links if link.name == network.bridge}
        mine = [entry for entry in taken if entry[1] not in own]
        return bridge.plan(links, mine, network, key=self._key)

    def _delete(self, host: Rtnetlink, names: set[str]) -> None:
        for link in bridge.of_root(host.links(), self._key):
            if link.name in names:
                with suppress_errno(errno.ENODEV):
                    host.execute(rtnetlink.delete_link(link.name))


def _require_own_bridge(network: Network, others: Iterable[Network]) -> None:
    name = network.bridge or network.options.get("com.docker.network.bridge.name")
    for other in others:
        if name and other.bridge == name:
            raise Conflict(
                f"cannot create network {network.id} ({name}): conflicts with network {other.id} ({other.bridge}): "
                "networks have same bridge name"
            )
