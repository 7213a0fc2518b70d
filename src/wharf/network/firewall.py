"""The engine's table in the kernel: made whole when networks change, element by element when ports do."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence

from wharf.kernel import conntrack
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.nftables import Nftables
from wharf.network import judging, passage, rules
from wharf.network.endpoint import Endpoint
from wharf.network.rules import BridgeNetwork


class Firewall:
    """Published ports, masquerading and isolation of all bridges of one engine. Its methods block."""

    def __init__(
        self,
        key: str,
        networks: Callable[[], Sequence[BridgeNetwork]],
        endpoints: Callable[[], Sequence[Endpoint]],
        mark: str = "",
    ) -> None:
        """``networks`` and ``endpoints`` return all that are recorded; called on worker threads.

        ``mark``: of packets that are let into bridges (:func:`wharf.network.options.accepted_mark`); empty for none.
        """
        self._mark = mark
        self._key = key
        self._networks = networks
        self._endpoints = endpoints
        self._nftables: Nftables | None = None
        self._lock = threading.RLock()
        self.present = False
        """Whether the table was made, as far as this process knows."""
        self.detour = 0
        """The index of the link by which judged packets are led round; 0 for none."""

    def rebuild(self) -> None:
        """Make the whole table anew from the records, in one transaction; remove it when there is no bridge."""
        with self._lock:
            networks = self._networks()
            if not networks:
                self.remove()
                return
            with Rtnetlink() as host:
                judged = any(network.judged for network in networks)
                self.detour = judging.ensure(host, self._key) if judged else 0
                self._nft().run_script(rules.build(self._key, networks, self._endpoints(), self._mark))
                if not judged:
                    judging.remove(host, self._key)
            passage.settle(self._nft(), self._key, networks)
            self.present = True

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Publish the ports of recorded endpoints, in one transaction.

        Raises:
            OSError: the kernel refused; none is published.
        """
        self._change(rules.publish, endpoints)

    def withdraw(self, endpoints: Sequence[Endpoint]) -> None:
        """Take the ports of endpoints back; idempotent."""
        self._change(rules.withdraw, endpoints)

    def move(self, old: Sequence[Endpoint], new: Sequence[Endpoint]) -> None:
        """Publish the ports of ``new`` in place of those of ``old``, in one transaction."""
        networks = self._by_id()
        commands = [c for e in old for c in rules.withdraw(self._key, networks, e)]
        commands += [c for e in new for c in rules.publish(self._key, networks, e)]
        self._run(commands)
        _forget_flows([*old, *new])

    def remove(self) -> None:
        """Remove the table, whether it is there or not."""
        with self._lock:
            self.detour = 0
            passage.settle(self._nft(), self._key, ())
            self._nft().run(rules.remove(self._key))
            with Rtnetlink() as host:
                judging.remove(host, self._key)
            self.present = False

    def mend_passage(self) -> bool:
        """Put back the rules that let our packets through chains of others; return whether some were missing."""
        with self._lock:
            return self.present and passage.settle(self._nft(), self._key, self._networks())

    @property
    def table(self) -> str:
        """The name of the table."""
        return rules.table_name(self._key)

    def intact(self) -> bool:
        """Return whether the table has all its rules: somebody may have torn it."""
        try:
            return all(
                len(self._rules_in(chain)) == count
                for chain, count in rules.counts(self._key, self._networks(), self._mark)
            )
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            return False

    def _rules_in(self, chain: str) -> list[dict[str, object]]:
        listed = self._nft().run([{"list": {"chain": {"family": "inet", "table": self.table, "name": chain}}}])
        return [each for each in listed if "rule" in each]

    def close(self) -> None:
        """Free the context; what is in the kernel stays."""
        with self._lock:
            if self._nftables:
                self._nftables.close()
                self._nftables = None

    def _change(
        self, spell: Callable[[str, rules.Networks, Endpoint], list[rules.Command]], endpoints: Sequence[Endpoint]
    ) -> None:
        published = [endpoint for endpoint in endpoints if endpoint.ports]
        if not published:
            return
        networks = self._by_id()
        self._run([command for endpoint in published for command in spell(self._key, networks, endpoint)])
        _forget_flows(published)

    def _run(self, commands: list[rules.Command]) -> None:
        if not commands:
            return
        try:
            self._nft().run(commands)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            # Somebody flushed the firewall (`nft flush ruleset`, a restarted firewall service): make it anew, whole.
            self.rebuild()
            self._nft().run(commands)

    def _by_id(self) -> dict[str, BridgeNetwork]:
        return {network.id: network for network in self._networks()}

    def _nft(self) -> Nftables:
        with self._lock:
            if self._nftables is None:
                self._nftables = Nftables()
            return self._nftables


def _forget_flows(endpoints: Sequence[Endpoint]) -> None:
    """Let datagrams that keep coming be translated anew, now that the endpoints' ports have changed."""
    ports = {port.host_port for endpoint in endpoints for port in endpoint.ports if port.protocol == "udp"}
    if not ports:
        return
    owners = {address for endpoint in endpoints for address in (endpoint.ipv4, endpoint.ipv6) if address}
    with Rtnetlink() as host:
        own = {address.address for address in host.addresses()}

    def stale(flow: conntrack.Flow) -> bool:
        return flow.answered_by in owners or (flow.port in ports and flow.destination in own)

    # A kernel without nfnetlink_conntrack forgets such flows only once they pause.
    with suppress_errno(errno.EINVAL, errno.EOPNOTSUPP):
        conntrack.forget_udp(stale)
