"""Networks and endpoints as rows of the database."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Network
from typing import Any

from wharf.errors import InvalidArgument, NotFound
from wharf.lib.timestamps import rfc3339_nano
from wharf.network.bridge import DEFAULT_SUBNET
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.storage.layout import RunRoot
from wharf.storage.metadata import Database

BUILTIN = {"bridge": "bridge", "host": "host", "none": "null"}
"""The networks that always exist → their drivers."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network's row."""

    id: str
    name: str
    driver: str
    created_at: str
    subnet: str = ""  # CIDR; '' for drivers without addresses
    bridge: str = ""  # the link's name; '' before the first use

    @property
    def gateway(self) -> str:
        """The first address of the subnet."""
        return str(IPv4Network(self.subnet)[1]) if self.subnet else ""

    @property
    def prefix_length(self) -> int:
        """Of the subnet."""
        return IPv4Network(self.subnet).prefixlen if self.subnet else 0


_ENDPOINTS = """SELECT e.id, e.container_id, e.network_id, n.name, n.document, n.driver,
    e.ipv4, e.mac, e.host_link, e.ports FROM endpoints e JOIN networks n ON n.id = e.network_id"""


class Records:
    """The two tables. Every method is one short transaction, for the thread that owns the engine."""

    def __init__(self, database: Database, run: RunRoot) -> None:
        self._database = database
        self._run = run

    def add_builtin(self) -> None:
        """Make the rows of the built-in networks where they are missing."""
        present = {network.name for network in self.networks()}
        for name, driver in BUILTIN.items():
            if name not in present:
                subnet = DEFAULT_SUBNET if driver == "bridge" else ""
                created_at = rfc3339_nano(time.time_ns())
                self._insert(Network(secrets.token_hex(32), name, driver, created_at, subnet))

    def networks(self) -> list[Network]:
        """Return all networks, by name."""
        rows = self._database.query("SELECT id, name, driver, created_at, document FROM networks ORDER BY name")
        return [Network(*map(str, row[:4]), **json.loads(str(row[4]))) for row in rows]

    def resolve(self, ref: str) -> Network:
        """Return the network of that name, id or unique id prefix; ``default`` is ``bridge``.

        Raises:
            NotFound: there is none.
            InvalidArgument: the prefix fits several.
        """
        wanted = "bridge" if ref == "default" else ref
        networks = self.networks()
        exact = [n for n in networks if wanted == n.name] or [n for n in networks if wanted == n.id]
        matches = exact or [n for n in networks if wanted and n.id.startswith(wanted)]
        if len(matches) > 1:
            raise InvalidArgument(f"network {ref} is ambiguous ({len(matches)} matches found based on ID prefix)")
        if not matches:
            raise NotFound(f"network {ref} not found")
        return matches[0]

    def place(self, network: Network, *, bridge: str, subnet: str) -> Network:
        """Record which bridge and subnet a network has, before they are made."""
        placed = replace(network, bridge=bridge, subnet=subnet)
        with self._database.transaction() as db:
            db.execute("UPDATE networks SET document = ? WHERE id = ?", (_document(placed), network.id))
        return placed

    def endpoints(self) -> list[Endpoint]:
        """Return all endpoints, oldest first."""
        return [self._endpoint(*row) for row in self._database.query(f"{_ENDPOINTS} ORDER BY e.rowid")]

    def endpoints_of(self, container_id: str) -> list[Endpoint]:
        """Return the endpoints of one container."""
        return [
            self._endpoint(*row)
            for row in self._database.query(f"{_ENDPOINTS} WHERE e.container_id = ?", (container_id,))
        ]

    def addresses(self, network_id: str) -> list[str]:
        """Return the addresses in use in a network, the one given last at the end."""
        rows = self._database.query(
            "SELECT ipv4 FROM endpoints WHERE network_id = ? AND ipv4 IS NOT NULL ORDER BY rowid", (network_id,)
        )
        return [str(row[0]) for row in rows]

    def names(self) -> dict[str, str]:
        """Return the names of the containers that have endpoints."""
        rows = self._database.query(
            "SELECT c.id, c.name FROM containers c WHERE c.id IN (SELECT container_id FROM endpoints)"
        )
        return {str(container_id): str(name) for container_id, name in rows}

    def add(self, endpoint: Endpoint) -> None:
        """Record an endpoint: the intention, before the kernel is touched."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO endpoints (id, container_id, network_id, ipv4, mac, host_link, ports)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    endpoint.id,
                    endpoint.container_id,
                    endpoint.network_id,
                    endpoint.ipv4 or None,
                    endpoint.mac or None,
                    endpoint.host_link or None,
                    json.dumps([asdict(port) for port in endpoint.ports]),
                ),
            )

    def discard(self, endpoints: Iterable[Endpoint]) -> None:
        """Forget endpoints."""
        with self._database.transaction() as db:
            db.executemany("DELETE FROM endpoints WHERE id = ?", [(endpoint.id,) for endpoint in endpoints])

    def _insert(self, network: Network) -> None:
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO networks (id, name, driver, created_at, document) VALUES (?, ?, ?, ?, ?)",
                (network.id, network.name, network.driver, network.created_at, _document(network)),
            )

    def _endpoint(self, *row: Any) -> Endpoint:
        endpoint_id, container_id, network_id, name, document, driver, ipv4, mac, host_link, ports = row
        network = Network(network_id, name, driver, "", **json.loads(document))
        return Endpoint(
            id=endpoint_id,
            container_id=container_id,
            network_id=network_id,
            network_name=name,
            sandbox="" if driver == "host" else str(self._run.sandbox(container_id)),
            ipv4=ipv4 or "",
            prefix_length=network.prefix_length,
            gateway=network.gateway,
            mac=mac or "",
            ports=tuple(PublishedPort(**port) for port in json.loads(ports)),
            host_link=host_link or "",
        )


def _document(network: Network) -> str:
    return json.dumps({"subnet": network.subnet, "bridge": network.bridge})
