"""The networks of one engine: create and remove, attach and release containers, survive crashes, list and inspect.

Attaching: choose addresses, hold the host's ports (sockets: they go with the process), record the endpoints; only
then touch the kernel, on a worker thread. Releasing undoes the kernel's part and forgets the records last. So
whatever exists in the kernel has a record, and :meth:`Networks.start` finds it after a crash. A network is recorded
before its bridge is made, and forgotten after it is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from wharf.errors import Conflict, Forbidden, InvalidArgument, Unavailable, WharfError
from wharf.lib.filters import Filters
from wharf.lib.ports import PortMapping
from wharf.network import inspect, request, sandbox
from wharf.network.ahead import Ahead
from wharf.network.allocation import Allocation, no_rate, require_possible
from wharf.network.defaults import NetworkDefaults
from wharf.network.driver import Others
from wharf.network.endpoint import Endpoint, Rate, Wish
from wharf.network.fabric import Fabric
from wharf.network.mending import Mending, Report, unreported
from wharf.network.outside import Here, Outside
from wharf.network.ports import HostPorts
from wharf.network.publishing import Publishing
from wharf.network.records import Network, Records
from wharf.network.spares import Spare
from wharf.network.worker import to_completion
from wharf.plugins.calls import Refused
from wharf.spec.engine_api.network import NetworkCreateRequest, NetworkInspect
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database

log = logging.getLogger(__name__)

Wanted = list[tuple[Network, Wish]]  # named here: inside the class, ``list`` is its own method
Endpoints = list[Endpoint]
Strings = list[str]


class Networks:
    """The collection of networks. Its methods run on the engine's event loop; the kernel's part on worker threads."""

    def __init__(
        self,
        data: DataRoot,
        run: RunRoot,
        database: Database,
        *,
        observe: sandbox.Observer = sandbox.unobserved,
        report: Report = unreported,
        defaults: NetworkDefaults | None = None,
        outside: Outside | None = None,
        others: Others | None = None,
    ) -> None:
        """Nothing is read or changed before :meth:`start`.

        ``observe`` hears of each step of an attach; ``report`` of what others tore and :meth:`mend` made good;
        ``outside`` lets ports into a network namespace of our own.
        """
        self._run = run
        self._records = Records(database, run)
        outside = outside or Here()
        self.ports = HostPorts(outside)
        self._defaults = defaults or NetworkDefaults()
        self._fabric = Fabric(
            data.key,
            run,
            self._records,
            observe=observe,
            outside=outside,
            defaults=self._defaults,
            others=others or Others(),
        )
        self._addressing = self._fabric.addressing
        self._publishing = Publishing(self.ports, self._fabric, self._records)
        self._allocation = Allocation(self._records, run, self._fabric.traits)
        self._ahead = Ahead(self._fabric)
        self._preparing = asyncio.Lock()
        self._mending = Mending(self._fabric, self._records.resolve, self._preparing, report)

    async def start(self, live: Collection[str], listening: Collection[str] = ()) -> dict[str, list[Endpoint]]:
        """Make records and kernel agree; return the endpoints of the containers that live.

        Removes what belongs to containers not in ``live``; for the others the firewall is rebuilt and ports are held
        again, but those ``listening`` (see HostPorts). A port that somebody took stays published, with a warning.
        """
        self._records.add_builtin(request.builtin, self._defaults.builtin)
        recorded = self._records.endpoints()
        dead = [endpoint for endpoint in recorded if endpoint.container_id not in live]
        kept = [endpoint for endpoint in recorded if endpoint.container_id in live]
        self._records.discard(await to_completion(self._fabric.sweep, dead, set(live)))
        await to_completion(self._fabric.settle_default_bridge, kept)
        await self._restore(kept)
        await to_completion(self._fabric.resume_names)
        found: dict[str, list[Endpoint]] = {}
        await to_completion(self._addressing.replay, self._records.networks())
        for endpoint in kept:
            self._publishing.hold_again(endpoint, listening)
            found.setdefault(endpoint.container_id, []).append(endpoint)
        await to_completion(self._fabric.resume_ports, kept)
        return found

    @property
    def drivers(self) -> list[str]:
        """The names of the drivers, without plugins; sorted."""
        return self._fabric.drivers

    async def mend(self) -> None:
        """Make good what others do to the networks, until cancelled (:mod:`wharf.network.mending`)."""
        await self._mending.run()

    async def create(self, document: NetworkCreateRequest) -> tuple[Network, str]:
        """Make a network; return it, and what the user should hear.

        Raises:
            InvalidArgument, Forbidden, NotFound: the request contradicts itself, or what is there already.
            Conflict: the name is taken.
            Unavailable: no subnet is free, or the kernel refused.
        """
        network = request.network_of(document, overlay=self._fabric.has("overlay"))
        if network.config_from:
            network = request.with_config_of(network, self._records.resolve(network.config_from))
        network = self._fabric.check(self._defaults.filled(network))
        async with self._preparing:
            if any(other.name == network.name for other in self._records.networks()):
                raise Conflict(f"network with name {network.name} already exists")
            if network.config_only:
                self._records.add_network(network)
                return network, ""
            planned, notice = await to_completion(self._fabric.plan, network)
            self._records.add_network(planned)
            try:
                await to_completion(self._fabric.prepare, planned)
            except BaseException as error:
                await asyncio.shield(self._forget(planned))
                if isinstance(error, OSError):
                    raise Unavailable(f"failed to create network {network.name}: {error}") from error
                raise
        return planned, "; ".join(filter(None, (notice, request.warning(planned))))

    async def remove(self, ref: str) -> Network:
        """Remove a network that no running container is in, and return what it was.

        Raises:
            NotFound: there is none.
            Forbidden: it is built in, or in use.
        """
        network = self._records.resolve(ref)
        if network.builtin:
            raise Forbidden(f"{network.name} is a pre-defined network and cannot be removed")
        async with self._preparing:
            self._records.require_unused(network)
            await asyncio.shield(self._forget(network))
        return network

    async def attach(
        self, container_id: str, wishes: Sequence[Wish], *, ports: Sequence[PortMapping] = (), name: str = ""
    ) -> list[Endpoint]:
        """Give a container its sandbox and its places in networks; ``name`` (the container's) is for errors.

        Undone by :meth:`release`. When this raises or is cancelled, nothing is left.

        Raises:
            NotFound: there is no such network.
            Conflict: a host port is in use, in Docker's words.
            Forbidden: the container is in a network already.
            Unavailable: no address or port is free, or the kernel refused.
            InvalidArgument, NotImplementedHere: an option that cannot be honoured.
        """
        wanted, notices = await self._prepared(wishes)
        async with self._given_back_unless_recorded(wanted):
            choice = self._allocation.choose(container_id, wanted, [], name=name)
            with self._fabric.spare_for(choice) as (spare, chosen):
                endpoints = self._intend(chosen, ports, name, present=[])
        try:
            path = self._sandbox(container_id, endpoints)
            endpoints = await self._realise(path, endpoints, [network for network, _ in wanted], spare)
            self._ahead.behind(endpoints)
        except BaseException as error:
            await asyncio.shield(self._undo(container_id, endpoints))
            if isinstance(error, OSError | Refused):
                raise Unavailable(f"failed to set up container networking: {error}") from error
            raise
        return [replace(endpoint, notice=notice) for endpoint, notice in zip(endpoints, notices, strict=True)]

    async def connect(
        self, container_id: str, pid: int, wish: Wish, *, ports: Sequence[PortMapping] = (), name: str = ""
    ) -> list[Endpoint]:
        """Give a running container, whose process ``pid`` is, one more place; return its endpoints, the new one last.

        ``ports`` are published when it is the first place that leads to the host; else they follow the default route.
        Raises as :meth:`attach` does.
        """
        wanted, _ = await self._prepared([wish])
        present = self._records.endpoints_of(container_id)
        async with self._given_back_unless_recorded(wanted):
            chosen = self._allocation.choose(container_id, wanted, present, name=name)
            (endpoint,) = self._intend(chosen, ports, name, present=present)
        try:
            endpoint = await to_completion(self._fabric.join, endpoint, pid, wanted[0][0], present)
            return await self._publishing.move([*present, endpoint])
        except BaseException as error:
            await asyncio.shield(self.disconnect(container_id, endpoint.network_id))
            if isinstance(error, OSError):
                raise Unavailable(f"failed to connect to network {endpoint.network_name}: {error}") from error
            raise

    async def disconnect(self, container_id: str, network_id: str) -> list[Endpoint]:
        """Take a running container out of one network; return its remaining endpoints. Idempotent."""
        present = self._records.endpoints_of(container_id)
        leaving = [endpoint for endpoint in present if endpoint.network_id == network_id]
        rest = [endpoint for endpoint in present if endpoint.network_id != network_id]
        for endpoint in leaving:
            rest = await self._publishing.move(rest, leaving=endpoint)
            await to_completion(self._fabric.leave, endpoint, rest)
            await to_completion(self._addressing.release, [endpoint])
            self._records.discard([endpoint])
        return rest

    async def rename(self, container_id: str, old: str, new: str) -> list[Endpoint]:
        """Let a running container be found by a new name; return its endpoints."""
        present = self._records.endpoints_of(container_id)
        renamed = [replace(e, names=tuple(new if n == old else n for n in e.names)) for e in present]
        self._records.update(renamed)
        await to_completion(self._fabric.rename, renamed)
        return renamed

    async def throttle(self, container_id: str, rates: Mapping[str, Rate]) -> Endpoints:
        """Let a running container receive and send at other rates, by network id; return its endpoints.

        When this raises, the rates are what they were. After a kill in it call it again.

        Raises:
            InvalidArgument: one of the networks has no rates.
            NotImplementedHere: this kernel cannot limit.
            Unavailable: the kernel refused.
        """
        before = self._records.endpoints_of(container_id)
        after = [replace(e, rate=rates.get(e.network_id, e.rate)) for e in before]
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old.rate != new.rate]
        for old, _ in changed:
            if not self._fabric.traits(old.driver).limits:
                raise InvalidArgument(no_rate(self.resolve(old.network_id)))
        try:
            await to_completion(sandbox.throttle, changed)
        except OSError as error:
            raise Unavailable(f"failed to change the network rate: {error}") from error
        self._records.update([new for _, new in changed])
        return after

    async def release(self, container_id: str) -> None:
        """Take a container out of all networks; idempotent, and completes even when cancelled."""
        endpoints = self._records.endpoints_of(container_id)
        if endpoints or self._run.sandbox(container_id).exists():
            await asyncio.shield(self._undo(container_id, endpoints))

    async def list(self, filters: Filters | None = None) -> list[NetworkInspect]:
        """Return the networks that match, without their containers (as Docker's list does)."""
        used = {endpoint.network_id for endpoint in self._records.endpoints()}
        found = inspect.matching(self._records.networks(), filters or {}, used=used)
        return [inspect.document(network) for network in found]

    async def inspect(self, ref: str) -> NetworkInspect:
        """Return everything about one network.

        Raises:
            NotFound: there is none of that name, id or id prefix.
        """
        network = self.resolve(ref)
        return inspect.whole(network, self._records.endpoints_in(network.id), self._records.names())

    def publishes(self, ref: str) -> bool:
        """Return whether ports of containers in that network can be published; NotFound: there is none."""
        return self._fabric.publishes(self.resolve(ref))

    def resolve(self, ref: str) -> Network:
        """Return the network of that name, id or unique id prefix, or raise NotFound."""
        return self._records.resolve(ref)

    def all(self) -> Sequence[Network]:
        """Return the networks, by name."""
        return self._records.networks()

    def unused(self, filters: Filters) -> Sequence[Network]:
        """Return the networks of the user's own that no container is in and that pass prune's filters."""
        used = {endpoint.network_id for endpoint in self._records.endpoints()}
        return [n for n in inspect.prunable(self._records.networks(), filters) if n.id not in used]

    async def aclose(self) -> None:
        """Let the ports' sockets go; remove bridges and firewall when no container runs."""
        await self._ahead.aclose()
        self.ports.close()
        if not self._records.endpoints():
            await to_completion(self._fabric.remove_all)
        self._fabric.close()

    async def _restore(self, kept: Sequence[Endpoint]) -> None:
        """Make the host's side of networks again: the user's own, and built-in ones that are in use."""
        used = {endpoint.network_id for endpoint in kept}
        for network in self._records.networks():
            if network.config_only or (network.builtin and network.id not in used):
                continue
            try:
                await self._prepare(network)
            except (WharfError, OSError) as error:
                log.warning("network %s is not there: %s", network.name, error)
        await to_completion(self._fabric.rebuild_firewall)

    async def _prepared(self, wishes: Sequence[Wish]) -> tuple[Wanted, Sequence[str]]:
        wanted: Wanted = []
        notices: Strings = []
        async with self._given_back_unless_recorded(wanted):
            for wish in wishes:
                network = self._records.resolve(wish.network)
                if network.config_only:
                    raise Forbidden(f"cannot create endpoint on configuration-only network {network.name}")
                require_possible(network, wish, self._fabric.traits(network.driver))
                network, notice = await self._prepare(network)
                if network.address_space:
                    wish = await to_completion(self._addressing.ask, network, wish)  # noqa: PLW2901  # the same one
                wanted.append((network, wish))
                notices.append(notice)
        return wanted, notices

    @asynccontextmanager
    async def _given_back_unless_recorded(self, wanted: Wanted) -> AsyncIterator[None]:
        """Give the addresses of places that plugins gave back when the block raises: nothing is recorded of them."""
        try:
            yield
        except BaseException:
            if any(network.address_space for network, _ in wanted):
                await asyncio.shield(to_completion(self._addressing.give_back, wanted))
            raise

    async def _prepare(self, network: Network) -> tuple[Network, str]:
        if self._fabric.ready(network):
            return network, self._fabric.notice(network)
        async with self._preparing:
            network = self._records.resolve(network.id)
            if self._fabric.ready(network):
                return network, self._fabric.notice(network)
            planned, notice = await to_completion(self._fabric.plan, network)
            if planned.pools != network.pools and self._records.endpoints_in(network.id):
                subnet = network.pools[0].subnet
                raise Unavailable(f"the subnet {subnet} of network {network.name} is in use by something else")
            planned = self._records.place(network, bridge=planned.bridge, pools=planned.pools)
            await to_completion(self._fabric.prepare, planned)
            if notice:
                log.warning("%s", notice)
            return planned, notice

    def _intend(
        self, chosen: Sequence[Endpoint], ports: Sequence[PortMapping], name: str, *, present: Sequence[Endpoint]
    ) -> Sequence[Endpoint]:
        """Choose ports for endpoints and record them: nothing is awaited since, so nobody comes between."""
        chosen, held = self._publishing.reserve(chosen, ports, name, present=present)
        try:
            self._records.add(chosen)
        except BaseException:
            self.ports.release(held)
            raise
        return chosen

    async def _realise(
        self, path: str, endpoints: Sequence[Endpoint], networks: Sequence[Network], spare: Spare | None
    ) -> Sequence[Endpoint]:
        try:
            return await to_completion(self._fabric.build, path, endpoints, networks, spare)
        except OSError:
            if all(self._fabric.ready(network) for network in networks):
                raise
            for network in networks:  # somebody removed a bridge
                await self._prepare(network)
            return await to_completion(self._fabric.build, path, endpoints, networks)

    def _sandbox(self, container_id: str, endpoints: Sequence[Endpoint]) -> str:
        shared = any(endpoint.driver == "host" for endpoint in endpoints)
        return "" if shared else str(self._run.sandbox(container_id))

    async def _undo(self, container_id: str, endpoints: Sequence[Endpoint]) -> None:
        await to_completion(self._fabric.demolish, self._sandbox(container_id, endpoints), endpoints)
        if any(self._records.resolve(endpoint.network_id).address_space for endpoint in endpoints):
            await to_completion(self._addressing.release, endpoints)
        for endpoint in endpoints:
            self.ports.release(endpoint.ports)
        self._records.discard(endpoints)

    async def _forget(self, network: Network) -> None:
        """Remove a network's host side, then its record."""
        if not network.config_only:
            await to_completion(self._fabric.dismantle, network)
        self._records.discard_network(network)
