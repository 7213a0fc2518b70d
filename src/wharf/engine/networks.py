"""docker network …: the networks, with what only the engine knows: the containers, and the events."""

from __future__ import annotations

from dataclasses import replace

from wharf.engine.containers import endpoints, networking
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.documents import held
from wharf.engine.events import Events
from wharf.errors import Conflict, Forbidden, InvalidArgument, WharfError
from wharf.lib.filters import Filters
from wharf.network.mending import Repair
from wharf.network.records import Network
from wharf.spec.engine_api.container import EndpointSettings
from wharf.spec.engine_api.network import (
    NetworkConnectRequest,
    NetworkCreateRequest,
    NetworkCreateResponse,
    NetworkDisconnectRequest,
    NetworkInspect,
)

_SHARED = (
    "container sharing network namespace with another container or host cannot be connected to any other network"
)
_PRIVATE = "container cannot be connected to multiple networks with one of the networks in private (none) mode"
_HOST = "container cannot be disconnected from host network or connected to host network"
_TO_HOST = "cannot connect container to host network - container must be created in host network mode"


class NetworkVerbs:
    """The networks of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._networks = context.networks

    async def create(self, document: NetworkCreateRequest) -> NetworkCreateResponse:
        """Make a network (see :meth:`wharf.network.networks.Networks.create`)."""
        network, warning = await self._networks.create(held(document, NetworkCreateRequest, "a network's request"))
        self._publish("create", network)
        return {"Id": network.id, "Warning": warning}

    async def list(self, filters: Filters | None = None) -> list[NetworkInspect]:
        """Return the networks that match."""
        return await self._networks.list(filters)

    async def inspect(self, ref: str) -> NetworkInspect:
        """Return all of a network."""
        return await self._networks.inspect(ref)

    async def remove(self, ref: str) -> None:
        """Remove a network that no running container is in."""
        self._publish("destroy", await self._networks.remove(ref))

    async def prune(self, filters: Filters | None = None) -> dict[str, object]:
        """Remove the networks of the user's own that no container, running or not, is joined to."""
        wanted = {name for container in self._context.registry for name in endpoints.configured(container.spec)}
        deleted = []
        for network in self._networks.unused(filters or {}):
            if network.name in wanted:
                continue
            try:
                await self.remove(network.id)
            except WharfError:
                continue  # somebody joined or removed it meanwhile
            deleted.append(network.name)
        self._context.events.publish("network", "prune", "", {"reclaimed": "0"})
        return {"NetworksDeleted": deleted or None}

    async def connect(self, ref: str, document: NetworkConnectRequest) -> None:
        """Join a container to a network, now or when it starts.

        Raises:
            NotFound: there is no such network or container.
            Forbidden: the container shares another's network, has none, or is in this one.
            InvalidArgument, Conflict, Unavailable: as :meth:`wharf.network.networks.Networks.connect`.
        """
        document = held(document, NetworkConnectRequest, "a connection's request")
        container = self._context.registry.resolve(document.get("Container") or "")
        network = self._networks.resolve(ref)
        settings = endpoints.asked_of(document.get("EndpointConfig") or EndpointSettings())
        async with container.lock:
            _require_joinable(container, network)
            endpoints.check(network.name, settings)
            if container.state.alive:
                await networking.connect(self._context, container, network.name, settings)
            self._respecify(container, network, settings)

    async def disconnect(self, ref: str, document: NetworkDisconnectRequest) -> None:
        """Take a container out of a network.

        Raises:
            NotFound: there is no such network or container.
            Conflict: the container is not in it.
        """
        container = self._context.registry.resolve(document.get("Container") or "")
        network = self._networks.resolve(ref)
        async with container.lock:
            if network.name == "host":
                raise Forbidden(_HOST)
            if network.name not in endpoints.configured(container.spec):
                raise WharfError(f"container {container.id} is not connected to network {network.name}")
            self._respecify(container, network, None)
            if container.state.alive:
                await networking.disconnect(self._context, container, network)

    def _respecify(self, container: Container, network: Network, settings: EndpointSettings | None) -> None:
        changed = endpoints.respecified(container.spec, {network.name: settings})
        self._context.registry.respecify(container, replace(container.spec, networking=changed))

    def _publish(self, action: str, network: Network) -> None:
        self._context.events.publish("network", action, network.id, {"name": network.name, "type": network.driver})


def publish_repair(events: Events, key: str, repair: Repair) -> None:
    """Tell that networks were made good after somebody tore them: event ``repair`` of the network or the daemon."""
    attributes = {"what": repair.what, "reason": repair.reason}
    if network := repair.network:
        events.publish("network", "repair", network.id, {"name": network.name, "type": network.driver, **attributes})
    else:
        events.publish("daemon", "repair", key, attributes)


def _require_joinable(container: Container, network: Network) -> None:
    mode = endpoints.mode_of(container.spec.host_config)
    if container.state.status in ("removing", "dead"):
        raise Conflict(
            f"Container {container.id} is marked for removal and cannot be connected or disconnected to the network"
        )
    if mode == "host" or mode.startswith("container:"):
        raise Forbidden(_SHARED)
    if network.name == "host":
        raise Forbidden(_TO_HOST)
    if "none" in (network.name, *endpoints.configured(container.spec)):
        raise Forbidden(_PRIVATE)
    if network.config_only:
        raise InvalidArgument(f"network {network.name} is configuration only: no container can be in it")
