"""The networks of one engine: attach and release containers, survive crashes, list and inspect.

Attaching: choose an address, hold the host's ports (sockets: they go with the process), record the endpoint; only
then touch the kernel, on a worker thread. Releasing undoes the kernel's part and forgets the record last. So whatever
exists in the kernel has a record, and :meth:`Networks.start` finds it after a crash.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import ParamSpec, TypeVar

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, Unavailable
from wharf.lib.filters import Filters
from wharf.lib.ports import PortMapping
from wharf.network import inspect, ipam, sandbox
from wharf.network.drivers import BridgeDriver, Driver, HostDriver, NullDriver
from wharf.network.endpoint import Endpoint
from wharf.network.ports import HostPorts, require_supported
from wharf.network.records import Network, Records
from wharf.spec.engine_api.network import NetworkInspect
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


class Networks:
    """The collection of networks. Its methods run on the engine's event loop; the kernel's part on worker threads."""

    def __init__(
        self, data: DataRoot, run: RunRoot, database: Database, *, observe: sandbox.Observer = sandbox.unobserved
    ) -> None:
        """Nothing is read or changed before :meth:`start`; ``observe`` hears of each step of an attach."""
        self._run = run
        self._records = Records(database, run)
        self._ports = HostPorts()
        self._bridge = BridgeDriver(data.key, self._records.endpoints)
        self._drivers: dict[str, Driver] = {"bridge": self._bridge, "host": HostDriver(), "null": NullDriver()}
        self._preparing = asyncio.Lock()
        self._observe = observe
        self._last: dict[str, str] = {}

    async def start(self, live: Collection[str]) -> dict[str, list[Endpoint]]:
        """Make records and kernel agree; return the endpoints of the containers that live.

        What belongs to containers that are not in ``live`` is removed; for those that are, the firewall is rebuilt
        and their host ports are held again. A port that somebody took meanwhile stays published, with a warning.
        """
        self._records.add_builtin()
        recorded = self._records.endpoints()
        dead = [endpoint for endpoint in recorded if endpoint.container_id not in live]
        kept = [endpoint for endpoint in recorded if endpoint.container_id in live]
        self._records.discard(await _to_completion(self._sweep, dead, set(live)))
        network = self._records.resolve("bridge")
        if any(endpoint.network_id == network.id for endpoint in kept):
            await self._prepare(network)
        elif network.bridge:
            await _to_completion(self._bridge.remove)
        found: dict[str, list[Endpoint]] = {}
        for endpoint in kept:
            self._hold_again(endpoint)
            found.setdefault(endpoint.container_id, []).append(endpoint)
        return found

    async def attach(
        self,
        container_id: str,
        network_name: str,
        *,
        ports: Sequence[PortMapping] = (),
        mac: str | None = None,
        ipv4: str | None = None,
        name: str = "",
    ) -> Endpoint:
        """Give a container its place in a network; ``name`` (the container's) is for errors.

        Undone by :meth:`release`. When this raises or is cancelled, nothing is left.

        Raises:
            NotFound: there is no such network.
            Conflict: the container is in it already, or a host port is in use, in Docker's words.
            Unavailable: no address or port is free, or the kernel refused.
            InvalidArgument, NotImplementedHere: an option that cannot be honoured.
        """
        network = self._records.resolve(network_name)
        if any(e.network_id == network.id for e in self._records.endpoints_of(container_id)):
            raise Conflict(f"endpoint with name {name or container_id} already exists in network {network.name}")
        driver = self._drivers[network.driver]
        notice = ""
        if driver is self._bridge:
            _require_possible(network, ports, mac=mac, ipv4=ipv4)
            network, notice = await self._prepare(network)
        endpoint = self._intend(container_id, network, ports if driver.addressed else (), mac, name)
        try:
            await self._connect(driver, endpoint, network)
        except BaseException as error:
            await asyncio.shield(self._undo([endpoint]))
            if isinstance(error, OSError):
                raise Unavailable(f"failed to set up container networking: {error}") from error
            raise
        return replace(endpoint, notice=notice)

    async def release(self, container_id: str) -> None:
        """Take a container out of all networks; idempotent, and completes even when cancelled."""
        if endpoints := self._records.endpoints_of(container_id):
            await asyncio.shield(self._undo(endpoints))

    async def list(self, filters: Filters | None = None) -> list[NetworkInspect]:
        """Return the networks that match, without their containers (as Docker's list does)."""
        return [inspect.document(network) for network in inspect.matching(self._records.networks(), filters or {})]

    async def inspect(self, ref: str) -> NetworkInspect:
        """Return everything about one network.

        Raises:
            NotFound: there is none of that name, id or id prefix.
        """
        return inspect.document(self.resolve(ref), self._records.endpoints(), self._records.names())

    def resolve(self, ref: str) -> Network:
        """Return the network of that name, id or unique id prefix, or raise NotFound."""
        return self._records.resolve(ref)

    async def create(self, name: str) -> str:
        """Refuse: only the built-in networks exist in this build."""
        raise NotImplementedHere(f"creating networks is not supported by this build of wharf: {name}")

    async def remove(self, ref: str) -> None:
        """Refuse: the built-in networks stay."""
        raise InvalidArgument(f"{self.resolve(ref).name} is a pre-defined network and cannot be removed")

    async def aclose(self) -> None:
        """Let the ports' sockets go; remove bridge and firewall when no container uses them."""
        self._ports.close()
        if not self._records.endpoints() and self._records.resolve("bridge").bridge:
            await _to_completion(self._bridge.remove)
        self._bridge.close()

    async def _prepare(self, network: Network) -> tuple[Network, str]:
        async with self._preparing:
            network = self._records.resolve(network.id)
            if ready := self._bridge.ready:
                return network, ready.plan.notice
            plan = await _to_completion(self._bridge.plan, network)
            if plan.subnet != network.subnet and self._records.addresses(network.id):
                raise Unavailable(
                    f"the subnet {network.subnet} of network {network.name} is in use by something else"
                )
            network = self._records.place(network, bridge=plan.name, subnet=plan.subnet)
            await _to_completion(self._bridge.prepare, plan)
            if plan.notice:
                log.warning("%s", plan.notice)
            return network, plan.notice

    async def _connect(self, driver: Driver, endpoint: Endpoint, network: Network) -> None:
        try:
            await _to_completion(driver.connect, endpoint, self._observe)
        except OSError:
            if driver is not self._bridge or self._bridge.ready:
                raise
            await self._prepare(network)  # somebody removed the bridge
            await _to_completion(driver.connect, endpoint, self._observe)

    def _intend(
        self, container_id: str, network: Network, ports: Sequence[PortMapping], mac: str | None, name: str
    ) -> Endpoint:
        """Choose address and ports and record the endpoint: nothing is awaited, so nobody comes between."""
        endpoint_id = secrets.token_hex(32)
        ipv4 = self._allocate(network) if network.subnet else ""
        try:
            held = self._ports.reserve(ports)
        except (Conflict, Unavailable, InvalidArgument) as error:
            where = f"driver failed programming external connectivity on endpoint {name} ({endpoint_id})"
            raise type(error)(f"{where}: {error}") from error
        endpoint = Endpoint(
            id=endpoint_id,
            container_id=container_id,
            network_id=network.id,
            network_name=network.name,
            sandbox="" if network.driver == "host" else str(self._run.sandbox(container_id)),
            ipv4=ipv4,
            prefix_length=network.prefix_length,
            gateway=network.gateway,
            mac=(mac or ipam.mac_of(ipv4)) if ipv4 else "",
            ports=held,
            host_link=f"veth{endpoint_id[:7]}" if ipv4 else "",
        )
        try:
            self._records.add(endpoint)
        except BaseException:
            self._ports.release(held)
            raise
        return endpoint

    def _allocate(self, network: Network) -> str:
        used = self._records.addresses(network.id)
        after = self._last.get(network.id) or (used[-1] if used else None)
        pool = f"{network.name} ({network.id})"
        chosen = ipam.allocate(IPv4Network(network.subnet), [*used, network.gateway], after=after, pool=pool)
        self._last[network.id] = chosen
        return chosen

    async def _undo(self, endpoints: Sequence[Endpoint]) -> None:
        for endpoint in endpoints:
            await _to_completion(self._driver_of(endpoint).disconnect, endpoint)
            self._ports.release(endpoint.ports)
        self._records.discard(endpoints)

    def _sweep(self, dead: Sequence[Endpoint], live: set[str]) -> Sequence[Endpoint]:
        """Remove from the kernel what no live container owns. The firewall is rebuilt or removed afterwards."""
        for endpoint in dead:
            if endpoint.sandbox:
                sandbox.remove(endpoint.sandbox)
        if self._run.netns.is_dir():
            for path in self._run.netns.iterdir():
                if path.name not in live:
                    sandbox.remove(str(path))
        self._bridge.sweep(live)
        return dead

    def _hold_again(self, endpoint: Endpoint) -> None:
        for port in endpoint.ports:
            try:
                self._ports.hold(port)
            except (Conflict, InvalidArgument) as error:
                log.warning("container %s keeps its published port: %s", endpoint.container_id[:12], error)

    def _driver_of(self, endpoint: Endpoint) -> Driver:
        return self._drivers[self._records.resolve(endpoint.network_id).driver]


def _require_possible(network: Network, ports: Sequence[PortMapping], *, mac: str | None, ipv4: str | None) -> None:
    require_supported(ports)
    if ipv4:
        raise InvalidArgument(
            f"invalid config for network {network.name}: invalid endpoint settings:\n"
            "user specified IP address is supported on user defined networks only"
        )
    if mac and not _is_mac(mac):
        raise InvalidArgument(f"invalid MAC address: {mac}")


def _is_mac(text: str) -> bool:
    parts = text.split(":")
    try:
        values = [int(part, 16) for part in parts if len(part) == 2]
    except ValueError:
        return False
    # An interface refuses a multicast address (the lowest bit of the first byte) and all zeros.
    return len(values) == len(parts) == 6 and not values[0] & 1 and any(values)


async def _to_completion(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking ``work`` on a worker thread; a cancelled caller waits for its end, so undoing comes after it."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
