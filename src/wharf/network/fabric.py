"""The kernel's part of networks: bridges, sandboxes, firewall, in the right order. Everything here blocks.

What is to be made is recorded before, what is undone is forgotten after, by :class:`wharf.network.networks.Networks`.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from wharf.errors import WharfError
from wharf.network import inspect, names, sandbox, vlans
from wharf.network.bridge_driver import BridgeDriver
from wharf.network.cni import CniNetworks
from wharf.network.defaults import NetworkDefaults
from wharf.network.driver import Driver, HostDriver, NullDriver, Others, Traits, extended
from wharf.network.endpoint import Endpoint
from wharf.network.firewall import Firewall
from wharf.network.foreign import ForeignDriver
from wharf.network.names import Names
from wharf.network.outside import Outside
from wharf.network.records import Network, Records
from wharf.network.rules import BridgeNetwork
from wharf.network.spares import Spare, Spares, kind_of, suited
from wharf.network.vlans import VlanDriver
from wharf.storage.layout import RunRoot

log = logging.getLogger(__name__)


class Fabric:
    """All that one engine's networks have in the kernel. Called on worker threads."""

    def __init__(
        self,
        key: str,
        run: RunRoot,
        records: Records,
        *,
        observe: sandbox.Observer,
        outside: Outside,
        defaults: NetworkDefaults,
        others: Others,
    ) -> None:
        ranges = [(pool.base, pool.size) for pool in defaults.pools]
        self._run, self._records, self._outside, self._defaults = run, records, outside, defaults
        recorded = lambda: outside.inside(records.endpoints())  # noqa: E731
        self._firewall = Firewall(key, self._bridge_networks, recorded, defaults.accepted_mark)
        self._bridge = BridgeDriver(key, rebuild_firewall=self._firewall.rebuild, ranges=ranges)
        own: dict[str, Driver] = {
            "bridge": self._bridge,
            "host": HostDriver(),
            "null": NullDriver(),
            **{kind: VlanDriver(kind, key, ranges=ranges) for kind in vlans.DRIVERS},
        }
        self._drivers = extended(own, others.drivers, key)
        self._cni = CniNetworks(run.cni, records.resolve)
        self._foreign = ForeignDriver(self._cni, others.plugins, key, records.resolve, ranges=ranges)
        self.addressing = self._foreign.addressing
        self._names = Names(run)
        self._spares = Spares(key)
        self._observe = observe

    def publishes(self, network: Network) -> bool:
        """Return whether ports of containers in ``network`` can be published."""
        return network.driver == "bridge" or self.plugs(network)

    @property
    def drivers(self) -> list[str]:
        """The names of the drivers that are no plugins, sorted."""
        return sorted(self._drivers)

    def has(self, driver: str) -> bool:
        """Return whether there is a driver of that name that is no plugin."""
        return driver in self._drivers

    def traits(self, driver: str) -> Traits:
        """Return what containers of a driver's networks have."""
        return self._of(driver).traits

    def check(self, network: Network) -> Network:
        """Return the record of a network that is asked for, or raise what its driver says to it; does not block."""
        return network if network.config_only else self._of(network.driver).check(network)

    def plugs(self, network: Network) -> bool:
        """Return whether plugins publish the ports of containers in ``network``."""
        return not self.has(network.driver) and self._foreign.publishes(network)

    def plugged(self, endpoint: Endpoint) -> bool:
        """Return whether an endpoint is made by plugins, which publish its ports themselves."""
        return endpoint.driver not in self._drivers

    def ready(self, network: Network) -> bool:
        """Return whether the host's side of ``network`` is there, as far as this process knows."""
        return self._of(network.driver).ready(network)

    def notice(self, network: Network) -> str:
        """Return what the user should hear of a network that is ready."""
        return self._of(network.driver).notice(network)

    def plan(self, network: Network) -> tuple[Network, str]:
        """Return ``network`` with what had to be chosen for it, as the host is now, and what the user should hear."""
        self._require(network)
        others = [other for other in self._records.networks() if other.id != network.id and not other.config_only]
        return self._foreign.planned(network, self._drivers.get(network.driver), others)

    def settle_default_bridge(self, kept: Sequence[Endpoint]) -> None:
        """Let the default bridge be as the engine was told, unless containers (``kept``) run on it.

        Raises:
            NotFound, Conflict: it was told of one that is not there, or has no address.
        """
        found = next((each for each in self._records.networks() if each.name == "bridge"), None)
        wanted = found and self._defaults.bridge(found, self._bridge.address_of(self._defaults.foreign_bridge))
        if found is None or wanted == found:
            return
        if any(endpoint.network_id == found.id for endpoint in kept):
            log.warning("the default bridge stays as it is: containers run on it")
            return
        self.dismantle(found)
        if wanted:
            self._records.rewrite(wanted)
        else:
            self._records.discard_network(found)

    def prepare(self, network: Network) -> None:
        """Make the host's side of a planned and recorded network; idempotent; OSError when the kernel refuses."""
        self._require(network)
        self._of(network.driver).prepare(network)

    def _require(self, network: Network) -> None:
        if network.driver not in ("host", "null"):
            self._outside.require()

    def dismantle(self, network: Network) -> None:
        """Undo :meth:`prepare`; idempotent."""
        self._spares.drop(network.id)
        self._of(network.driver).dismantle(network)
        self.addressing.release_pools(network)

    def _of(self, driver: str) -> Driver:
        return self._drivers.get(driver, self._foreign)

    @contextmanager
    def spare_for(self, endpoints: Sequence[Endpoint]) -> Iterator[tuple[Spare | None, Sequence[Endpoint]]]:
        """Yield a sandbox that was made ahead and suits a container with these endpoints, and them with its link.

        Does not block. It is to be given to :meth:`build`; when the block fails it is gone. None: there is none.
        """
        bridge = self._bridge.ready_bridge(endpoints[0].network_id) if suited(endpoints) else None
        spare = self._spares.take(endpoints[0].network_id, kind_of(endpoints[0], bridge)) if bridge else None
        if spare is None:
            yield None, endpoints
            return
        try:
            yield spare, [replace(endpoints[0], host_link=spare.host_link)]
        except BaseException:
            spare.close()
            raise

    def make_spare(self, endpoints: Sequence[Endpoint]) -> None:
        """Make a sandbox ahead for another container like one with these endpoints, unless there are enough."""
        bridge = self._bridge.ready_bridge(endpoints[0].network_id) if suited(endpoints) else None
        if bridge:
            self._spares.fill(endpoints[0].network_id, kind_of(endpoints[0], bridge))

    def drop_spares(self, network_id: str) -> None:
        """Let go the sandboxes that were made ahead for a network."""
        self._spares.drop(network_id)

    def build(
        self,
        path: str,
        endpoints: Sequence[Endpoint],
        networks: Sequence[Network],
        spare: Spare | None = None,
    ) -> Sequence[Endpoint]:
        """Make a container's sandbox, then publish its ports: nobody reaches a container that is half there.

        ``path`` is its sandbox, '' for the host's; ``spare`` is what becomes it. Returns the endpoints, with what was
        learnt of them. Nothing is left when this raises.
        """
        opened = self._occupied(spare, path, endpoints[0]) if spare else self._sandbox(path, endpoints, networks)
        try:
            endpoints = self._plug(path, endpoints)
            self._hand_over(endpoints, opened)
            self._firewall.publish(self._outside.inside(endpoints))
            self._outside.publish(endpoints)
        except BaseException:
            for made in opened:
                made.close()
            self.demolish(path, endpoints)
            raise
        self._observe("ports", 0.0)
        return endpoints

    def _occupied(self, spare: Spare, path: str, endpoint: Endpoint) -> Sequence[socket.socket]:
        try:
            return spare.occupy(path, endpoint, sandbox.stopwatch(self._observe))
        except OSError:
            self._bridge.look_again(endpoint.network_id)
            raise

    def _sandbox(
        self, path: str, endpoints: Sequence[Endpoint], networks: Sequence[Network]
    ) -> Sequence[socket.socket]:
        named = names.needed(endpoints)

        def fill(inside: sandbox.Inside) -> Sequence[socket.socket]:
            for endpoint, network in zip(endpoints, networks, strict=True):
                self._of(network.driver).join(inside, endpoint, network)
            sandbox.default_routes(inside, list(endpoints))
            return names.open_in(inside) if named else ()

        return sandbox.make(path, fill, origin=endpoints[0].origin, observe=self._observe) if path else ()

    def _plug(self, path: str, endpoints: Sequence[Endpoint], only: str = "") -> Sequence[Endpoint]:
        """Let plugins make their endpoints, or one; return all, with what was learnt, which is recorded."""
        plugged = self._foreign.plug(path, endpoints, lambda e: self.plugged(e) and only in ("", e.id))
        if changed := [after for before, after in zip(endpoints, plugged, strict=True) if after is not before]:
            self._records.update(changed)
        return plugged

    def _part(self, endpoints: Sequence[Endpoint]) -> None:
        for endpoint in endpoints:
            self._of(endpoint.driver).part(endpoint)

    def _hand_over(self, endpoints: Sequence[Endpoint], opened: Sequence[socket.socket]) -> None:
        """Let the resolver serve a container, through ``opened`` when it does not yet.

        Never from a thread that is in a sandbox: the resolver may have to be started, and would live there.
        """
        try:
            if names.needed(endpoints):
                self._names.serve(endpoints[0].container_id, endpoints, opened)
        finally:
            for made in opened:
                made.close()

    def demolish(self, path: str, endpoints: Sequence[Endpoint]) -> None:
        """Withdraw a container's ports, then remove its sandbox; idempotent."""
        self._outside.withdraw(endpoints)
        self._firewall.withdraw(self._outside.inside(endpoints))
        if names.needed(endpoints):
            self._names.leave(endpoints)
            self._names.close_sandbox(endpoints[0].container_id)
        self._part(endpoints)
        sandbox.unlimit(endpoints)
        if path:
            sandbox.remove(path)

    def join(self, endpoint: Endpoint, pid: int, network: Network, present: Sequence[Endpoint]) -> Endpoint:
        """Make one more interface in the sandbox of a running container; return it, with what was learnt of it.

        The sandbox of a container that started in no network is the namespace of its process ``pid``, which made it.
        """
        first = names.needed([endpoint]) and not names.needed(present)

        def fill(inside: sandbox.Inside) -> Sequence[socket.socket]:
            self._of(network.driver).join(inside, endpoint, network)
            sandbox.default_routes(inside, [*present, endpoint])
            return names.open_in(inside) if first else ()

        sandbox.adopt(endpoint.sandbox, pid)
        opened = sandbox.within(endpoint.sandbox, fill, observe=self._observe)
        *_, endpoint = self._plug(endpoint.sandbox, [*present, endpoint], endpoint.id)
        self._hand_over([*present, endpoint], opened)
        return endpoint

    def leave(self, endpoint: Endpoint, rest: Sequence[Endpoint]) -> None:
        """Take an interface from the sandbox of a running container; idempotent."""

        def empty(inside: sandbox.Inside) -> None:
            sandbox.leave(inside, endpoint)
            sandbox.default_routes(inside, list(rest))

        if names.needed([endpoint]):
            self._names.leave([endpoint])
            if names.needed(rest):
                self._names.view(endpoint.container_id, rest)
            else:
                self._names.close_sandbox(endpoint.container_id)
                self._names.settle()  # questions must not go to sockets that are about to close
        self._part([endpoint])
        sandbox.unlimit([endpoint])
        with suppress(FileNotFoundError):  # the container has ended meanwhile
            sandbox.within(endpoint.sandbox, empty, observe=self._observe)

    def resume_ports(self, kept: Sequence[Endpoint]) -> None:
        """Let in from outside what the containers that live have published, and nothing else."""
        try:
            self._outside.start(kept)
        except WharfError as error:
            log.warning("published ports: %s", error)

    def resume_names(self) -> bool:
        """Make names work for all containers that have places in networks, whatever became of the resolver.

        Returns whether any container has names.
        """
        served, endpoints = self._names.resume(self._records.endpoints)
        by_container: dict[str, list[Endpoint]] = {}
        for endpoint in endpoints:
            by_container.setdefault(endpoint.container_id, []).append(endpoint)
        for container_id, own in by_container.items():
            if names.needed(own) and container_id not in served:
                with suppress(FileNotFoundError):  # its sandbox is being made, or has gone
                    self._hand_over(own, sandbox.within(own[0].sandbox, names.open_in))
        return names.needed(endpoints)

    def watch_resolver(self, heard: Callable[[int], object] | None) -> None:
        """Call ``heard`` with the process of each resolver that is connected to, from whatever thread."""
        self._names.watch(heard)

    def bridged(self) -> list[str]:
        """Return the ids of the networks that should have a bridge."""
        return self._bridge.networks()

    def network_of_link(self, index: int) -> str:
        """Return the id of the network whose bridge has or had that index; '' when none should have."""
        return self._bridge.network_of_link(index)

    def mend_bridge(self, network: Network) -> bool:
        """Make a bridge that somebody removed anew, and join all links to it; return whether that was so."""
        if not self._bridge.mend(network, self._records.endpoints_in(network.id)):
            return False
        self._firewall.rebuild()
        return True

    def mend_firewall(self, *, torn: bool) -> bool:
        """Make the firewall anew if somebody tore it (``torn``: it is known), and return whether that was so."""
        if not self._firewall.present or (not torn and self._firewall.intact()):
            return False
        self._firewall.rebuild()
        return True

    def mend_passage(self) -> bool:
        """Put back the rules that let packets through chains of others; return whether some were missing."""
        return self._firewall.mend_passage()

    @property
    def detour(self) -> int:
        """The index of the firewall's own link; 0 for none."""
        return self._firewall.detour

    @property
    def table(self) -> str:
        """The name of the firewall's table."""
        return self._firewall.table

    def rename(self, endpoints: Sequence[Endpoint]) -> None:
        """Tell the changed names of a container's endpoints."""
        if names.needed(endpoints):
            self._names.serve(endpoints[0].container_id, endpoints)

    def move_ports(self, before: Sequence[Endpoint], after: Sequence[Endpoint]) -> None:
        """Publish the ports of ``after`` in place of those of ``before``."""
        self._firewall.move(self._outside.inside(before), self._outside.inside(after))

    def rebuild_firewall(self) -> None:
        """Make the firewall from the records; remove it when no network needs one."""
        if self._outside.usable:
            self._firewall.rebuild()

    def sweep(self, dead: Sequence[Endpoint], live: set[str]) -> Sequence[Endpoint]:
        """Remove what no live container owns; the firewall is rebuilt or removed afterwards. Returns ``dead``."""
        for endpoint in dead:
            self._part([endpoint])
            if endpoint.sandbox:
                sandbox.remove(endpoint.sandbox)
        self.addressing.release(dead)
        sandbox.sweep(self._run.netns, live)
        self._sweep(live, self._records.networks())
        return dead

    def remove_all(self) -> None:
        """Remove all that networks have on the host, and the firewall: no container runs."""
        self._spares.close()
        if self._firewall.present:
            self._firewall.remove()
        self._sweep((), ())
        self._names.stop()

    def _sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:
        for driver in self._drivers.values():
            driver.sweep(live, networks)

    def close(self) -> None:
        """Free what this process holds; what is in the kernel stays, but for what waited for a container."""
        self._spares.close()
        self._firewall.close()
        self._names.close()

    def _bridge_networks(self) -> list[BridgeNetwork]:
        """Return the networks whose bridges are there."""
        found = [n for n in self._records.networks() if n.driver == "bridge" and self._bridge.ready(n)]
        return [inspect.for_firewall(network, direct=self._defaults.direct) for network in found]
