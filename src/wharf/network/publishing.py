"""Published ports follow a container's default route, and stay held for as long as it runs."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from wharf.errors import Conflict, InvalidArgument, Unavailable
from wharf.lib.ports import PortMapping
from wharf.network.endpoint import Endpoint, PublishedPort, publishing, with_ports
from wharf.network.fabric import Fabric
from wharf.network.ports import HostPorts
from wharf.network.reach import reach_of
from wharf.network.records import Records
from wharf.network.worker import to_completion

log = logging.getLogger(__name__)
_FAILED: Final = "failed to set up container networking"  # Docker's words
NOT_PUBLISHED: Final = f"{_FAILED}: driver failed programming external connectivity"


class Publishing:
    """The published ports of one engine's containers."""

    def __init__(self, ports: HostPorts, fabric: Fabric, records: Records) -> None:
        self._ports, self._fabric, self._records = ports, fabric, records

    def reserve(
        self, chosen: Sequence[Endpoint], ports: Sequence[PortMapping], name: str, *, present: Sequence[Endpoint]
    ) -> tuple[Sequence[Endpoint], tuple[PublishedPort, ...]]:
        """Return new endpoints with the ports that they publish, and those that are held now.

        Args:
            chosen: the new ones.
            ports: what is to be published.
            name: the container's, for errors.
            present: its endpoints so far: if they publish ports, the new ones do not.

        Raises:
            Conflict, Unavailable, InvalidArgument: a port cannot be had, in Docker's words.
        """
        if any(endpoint.ports for endpoint in present):
            return chosen, ()
        reach = reach_of(chosen, self._records.resolve, plugged=self._fabric.plugs)
        try:
            held = self._ports.reserve(ports, reach)
        except (Conflict, Unavailable, InvalidArgument) as error:
            where = f"{NOT_PUBLISHED} on endpoint {name} ({chosen[0].id})"
            raise type(error)(f"{where}: {error}") from error
        return publishing(chosen, held, reach.plugin) if reach.plugin else with_ports(chosen, held), held

    async def move(self, endpoints: list[Endpoint], *, leaving: Endpoint | None = None) -> list[Endpoint]:
        """Publish a container's ports where its default route leads now, and let go those that lead nowhere."""
        if any(endpoint.ports and self._fabric.plugged(endpoint) for endpoint in endpoints):
            return endpoints  # they stay where a plugin publishes them
        before = [*endpoints, leaving] if leaving else endpoints
        held = tuple(port for endpoint in before for port in endpoint.ports)
        after = with_ports(endpoints, held)
        if not held:
            return after
        self._records.update([*after, replace(leaving, ports=())] if leaving else after)
        await to_completion(self._fabric.move_ports, before, after)
        published = {port for endpoint in after for port in endpoint.ports}
        self._ports.release([port for port in held if port not in published])
        return after

    def hold_again(self, endpoint: Endpoint, listening: Collection[str]) -> None:
        """Hold the ports of an endpoint that an earlier engine made, but those that network plugins see to."""
        if self._records.resolve(endpoint.network_id).remote:
            return
        for port in endpoint.ports:
            try:
                self._ports.hold(port, listening)
            except (Conflict, InvalidArgument) as error:
                log.warning("container %s keeps its published port: %s", endpoint.container_id[:12], error)
