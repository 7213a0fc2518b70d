"""How a network's kind is realised in the kernel: bridge, host, null.

A driver's methods block; :class:`wharf.network.networks.Networks` calls them on worker threads, those that change the
bridge or rebuild the firewall one at a time.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from wharf.kernel import conntrack, netlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.nftables import Nftables
from wharf.network import bridge, rules, sandbox
from wharf.network.bridge import BridgePlan, ReadyBridge
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network


class Driver(Protocol):
    """What a kind of network must be able to do."""

    addressed: bool
    """Whether its endpoints have addresses and published ports."""

    def connect(self, endpoint: Endpoint, observe: sandbox.Observer) -> None:
        """Make the endpoint real. Nothing is left when this raises OSError."""

    def disconnect(self, endpoint: Endpoint) -> None:
        """Undo :meth:`connect`; idempotent, also after a crash in the middle of it."""


class HostDriver:
    """The container shares the host's network: there is nothing to make."""

    addressed = False

    def connect(self, endpoint: Endpoint, observe: sandbox.Observer) -> None:
        """Do nothing."""

    def disconnect(self, endpoint: Endpoint) -> None:
        """Do nothing."""


class NullDriver:
    """A namespace with a loopback interface only."""

    addressed = False

    def connect(self, endpoint: Endpoint, observe: sandbox.Observer) -> None:
        """Make the namespace."""
        sandbox.build_isolated(endpoint.sandbox, observe=observe)

    def disconnect(self, endpoint: Endpoint) -> None:
        """Remove the namespace."""
        sandbox.remove(endpoint.sandbox)


class BridgeDriver:
    """A bridge of the host with addresses of its own behind NAT."""

    addressed = True

    def __init__(self, key: str, endpoints: Callable[[], Sequence[Endpoint]]) -> None:
        """``endpoints`` returns all that are recorded, for rebuilding the firewall; called on worker threads."""
        self._key = key
        self._endpoints = endpoints
        self._nftables: Nftables | None = None
        self._ready: ReadyBridge | None = None
        self._suspect = False
        self._lock = threading.RLock()

    @property
    def ready(self) -> ReadyBridge | None:
        """The bridge, once it is up, and unless there is reason to look again."""
        return None if self._suspect else self._ready

    def plan(self, network: Network) -> BridgePlan:
        """Return the bridge that ``network`` is to have, as the host is now."""
        with Rtnetlink() as host:
            links, taken = bridge.observe(host)
        return bridge.plan(links, taken, key=self._key, name=network.bridge, subnet=network.subnet)

    def prepare(self, plan: BridgePlan) -> ReadyBridge:
        """Make the planned bridge and the whole firewall; idempotent."""
        with self._lock, Rtnetlink() as host:
            ready = bridge.ensure(host, plan)
            self._rebuild(ready)
            self._ready, self._suspect = ready, False
            return ready

    def connect(self, endpoint: Endpoint, observe: sandbox.Observer) -> None:
        """Make the sandbox, then publish the ports: nobody reaches a container that is half there."""
        ready = self._ready
        assert ready is not None, "prepare comes first"
        try:
            sandbox.build(endpoint, ready, key=self._key, observe=observe)
        except OSError:
            self._suspect = not _is_there(ready)
            raise
        try:
            self._publish(endpoint, ready)
            _forget_flows(endpoint)
        except BaseException:
            sandbox.remove(endpoint.sandbox)
            raise
        observe("ports", 0.0)

    def disconnect(self, endpoint: Endpoint) -> None:
        """Withdraw the ports, then remove the sandbox."""
        if endpoint.ports:
            # ENOENT: somebody flushed the whole firewall; then there is nothing to withdraw.
            with suppress_errno(errno.ENOENT):
                self._firewall().run(rules.withdraw(self._key, endpoint))
            _forget_flows(endpoint)
        sandbox.remove(endpoint.sandbox)

    def sweep(self, live: Iterable[str]) -> None:
        """Remove the veths of containers that are not live and that no sandbox took along."""
        keep = set(live)
        with Rtnetlink() as host:
            owners = [(link.name, sandbox.container_of(self._key, link)) for link in host.links()]
        for name, owner in owners:
            if owner is not None and owner not in keep:
                sandbox.remove_link(name)

    def remove_firewall(self) -> None:
        """Remove the table, whether it is there or not."""
        self._firewall().run(rules.remove(self._key))

    def remove(self) -> None:
        """Remove the firewall's table and every bridge of this data root, whoever made them."""
        with self._lock:
            self._ready = None
            self.remove_firewall()
            with Rtnetlink() as host:
                for link in bridge.of_root(host.links(), self._key):
                    with suppress_errno(errno.ENODEV):
                        host.execute(netlink.delete_link(link.name))

    def close(self) -> None:
        """Free the firewall's context; what is in the kernel stays."""
        with self._lock:
            if self._nftables:
                self._nftables.close()
                self._nftables = None

    def _publish(self, endpoint: Endpoint, ready: ReadyBridge) -> None:
        if not endpoint.ports:
            return
        try:
            self._firewall().run(rules.publish(self._key, endpoint))
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            # Somebody flushed the firewall (`nft flush ruleset`, a restarted firewall service): make it anew, whole.
            self._rebuild(ready)

    def _rebuild(self, ready: ReadyBridge) -> None:
        with self._lock:
            plan = ready.plan
            script = rules.build(self._key, [rules.BridgeNetwork(plan.name, plan.subnet)], self._endpoints())
            self._firewall().run_script(script)

    def _firewall(self) -> Nftables:
        with self._lock:
            if self._nftables is None:
                self._nftables = Nftables()
            return self._nftables


def _forget_flows(endpoint: Endpoint) -> None:
    """Let datagrams that keep coming be translated anew, now that the endpoint's ports have changed."""
    ports = {port.host_port for port in endpoint.ports if port.protocol == "udp"}
    if not ports:
        return
    with Rtnetlink() as host:
        own = {address.address for address in host.addresses()}

    def stale(flow: conntrack.Flow) -> bool:
        return flow.answered_by == endpoint.ipv4 or (flow.port in ports and flow.destination in own)

    # A kernel without nfnetlink_conntrack forgets such flows only once they pause.
    with suppress_errno(errno.EINVAL, errno.EOPNOTSUPP):
        conntrack.forget_udp(stale)


def _is_there(ready: ReadyBridge) -> bool:
    with Rtnetlink() as host:
        link = host.link(ready.plan.name)
    return link is not None and link.number == ready.index
