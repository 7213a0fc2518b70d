"""Networks and endpoints as rows of the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wharf.errors import Conflict, Forbidden, InvalidArgument, NotFound
from wharf.network import ipam
from wharf.network.endpoint import Endpoint, PublishedPort, Rate
from wharf.network.pools import Pool
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
    pools: tuple[Pool, ...] = ()  # none for drivers without addresses
    bridge: str = ""  # the link's name; '' before the first use, or for drivers without one
    ipv4: bool = True
    ipv6: bool = False
    internal: bool = False
    attachable: bool = False
    config_only: bool = False
    config_from: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ipam_driver: str = "default"
    ipam_options: Mapping[str, str] | None = None
    remote: bool = False  # a network plugin makes it, of its driver's name
    address_space: str = ""  # in which an IPAM plugin gives its addresses
    strangers: tuple[str, ...] = ()  # IPv4 addresses that once had another MAC than follows from them

    @property
    def builtin(self) -> bool:
        """Whether it always exists."""
        return self.name in BUILTIN

    def pools_of(self, version: int) -> list[Pool]:
        """Its pools of one version of IP; none when that version is not enabled."""
        enabled = self.ipv4 if version == 4 else self.ipv6
        return [pool for pool in self.pools if pool.version == version and enabled]


_NETWORKS = "SELECT id, name, driver, created_at, document FROM networks"
_ENDPOINTS = """SELECT e.id, e.container_id, e.network_id, n.name, n.driver, e.ipv4, e.mac, e.host_link, e.ports,
    e.document FROM endpoints e JOIN networks n ON n.id = e.network_id"""
_OWN_COLUMNS = ("id", "container_id", "network_id", "network_name", "driver", "ipv4", "mac", "host_link", "ports")
_NOT_STORED = (*_OWN_COLUMNS, "sandbox", "origin", "notice")


class Records:
    """The two tables. Every method is one short transaction, for the thread that owns the engine."""

    def __init__(self, database: Database, run: RunRoot) -> None:
        self._database = database
        self._run = run

    def networks(self) -> list[Network]:
        """Return all networks, by name."""
        return [_network(*row) for row in self._database.query(f"{_NETWORKS} ORDER BY name")]

    def resolve(self, ref: str) -> Network:
        """Return the network of that id, name or unique id prefix, in this order; ``default`` is ``bridge``.

        Raises:
            NotFound: there is none.
            InvalidArgument: the prefix fits several.
        """
        wanted = "bridge" if ref == "default" else ref
        exact = self._where("id = ?", wanted) or self._where("name = ?", wanted)
        matches = exact or (self._where("substr(id, 1, ?) = ?", len(wanted), wanted) if wanted else [])
        if len(matches) > 1:
            raise InvalidArgument(f"network {ref} is ambiguous ({len(matches)} matches found based on ID prefix)")
        if not matches:
            raise NotFound(f"network {ref} not found")
        return matches[0]

    def add_network(self, network: Network) -> None:
        """Record a network: the intention, before the kernel is touched.

        Raises:
            Conflict: the name is taken.
        """
        if self._where("name = ?", network.name):
            raise Conflict(f"network with name {network.name} already exists")
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO networks (id, name, driver, created_at, document) VALUES (?, ?, ?, ?, ?)",
                (network.id, network.name, network.driver, network.created_at, _document(network)),
            )

    def add_builtin(self, make: Callable[[str], Network], names: Iterable[str]) -> None:
        """Record the networks that exist from the beginning and are not there yet."""
        present = {network.name for network in self.networks()}
        for name in names:
            if name not in present:
                self.add_network(make(name))

    def discard_network(self, network: Network) -> None:
        """Forget a network that has no endpoints."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM networks WHERE id = ?", (network.id,))

    def place(self, network: Network, *, bridge: str, pools: tuple[Pool, ...]) -> Network:
        """Record which bridge and pools a network has, before they are made."""
        placed = replace(network, bridge=bridge, pools=pools)
        if placed != network:
            self.rewrite(placed)
        return placed

    def rewrite(self, network: Network) -> None:
        """Record a network anew, but for what it is called."""
        with self._database.transaction() as db:
            db.execute("UPDATE networks SET document = ? WHERE id = ?", (_document(network), network.id))

    def endpoints(self) -> list[Endpoint]:
        """Return all endpoints, in the order in which they were made."""
        return [self._endpoint(*row) for row in self._database.query(f"{_ENDPOINTS} ORDER BY e.rowid")]

    def endpoints_of(self, container_id: str) -> list[Endpoint]:
        """Return the endpoints of one container, in the order in which they were made."""
        sql = f"{_ENDPOINTS} WHERE e.container_id = ? ORDER BY e.rowid"
        return [self._endpoint(*row) for row in self._database.query(sql, (container_id,))]

    def endpoints_in(self, network_id: str) -> list[Endpoint]:
        """Return the endpoints in one network, in the order in which they were made."""
        sql = f"{_ENDPOINTS} WHERE e.network_id = ? ORDER BY e.rowid"
        return [self._endpoint(*row) for row in self._database.query(sql, (network_id,))]

    def addresses(self, network_id: str, version: int) -> Addresses:
        """Return the addresses in use in a network, of one version of IP."""
        return Addresses(self._database, network_id, version)

    def names(self) -> dict[str, str]:
        """Return the names of the containers that have endpoints."""
        rows = self._database.query(
            "SELECT c.id, c.name FROM containers c WHERE c.id IN (SELECT container_id FROM endpoints)"
        )
        return {str(container_id): str(name) for container_id, name in rows}

    def add(self, endpoints: Iterable[Endpoint]) -> None:
        """Record endpoints: the intention, before the kernel is touched."""
        recorded = list(endpoints)
        with self._database.transaction() as db:
            db.executemany(
                "INSERT INTO endpoints (id, container_id, network_id, ipv4, mac, host_link, ports, document)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(endpoint) for endpoint in recorded],
            )
            for endpoint in recorded:
                if endpoint.ipv4 and endpoint.mac not in ("", ipam.mac_of(endpoint.ipv4)):
                    self._remember_stranger(endpoint)

    def _remember_stranger(self, endpoint: Endpoint) -> None:
        """Note that neighbours may know an address by a MAC that its next owner will not have."""
        network = self.resolve(endpoint.network_id)
        if endpoint.ipv4 not in network.strangers:
            self.rewrite(replace(network, strangers=(*network.strangers, endpoint.ipv4)))

    def update(self, endpoints: Iterable[Endpoint]) -> None:
        """Record what has changed of endpoints: their ports, names and the like."""
        with self._database.transaction() as db:
            for endpoint in endpoints:
                *_, ipv4, mac, _, ports, document = _row(endpoint)
                db.execute(
                    "UPDATE endpoints SET ipv4 = ?, mac = ?, ports = ?, document = ? WHERE id = ?",
                    (ipv4, mac, ports, document, endpoint.id),
                )

    def discard(self, endpoints: Iterable[Endpoint]) -> None:
        """Forget endpoints."""
        with self._database.transaction() as db:
            db.executemany("DELETE FROM endpoints WHERE id = ?", [(endpoint.id,) for endpoint in endpoints])

    def require_unused(self, network: Network) -> None:
        """Raise Forbidden when a container is in ``network``, or another one has its configuration."""
        endpoints = self.endpoints_in(network.id)
        if endpoints:
            names = self.names()
            users = ", ".join(f'name:"{names.get(e.container_id, "")}" id:"{e.container_id[:12]}"' for e in endpoints)
            raise Forbidden(f"error while removing network: network {network.name} has active endpoints ({users})")
        if network.config_only:
            users = ", ".join(n.name for n in self.networks() if n.config_from in (network.name, network.id))
            if users:
                raise Forbidden(f"configuration network {network.name} is in use by {users}")

    def _where(self, condition: str, *values: str | int) -> list[Network]:
        return [_network(*row) for row in self._database.query(f"{_NETWORKS} WHERE {condition}", values)]

    def _endpoint(self, *row: Any) -> Endpoint:
        known: dict[str, Any] = dict(zip(_OWN_COLUMNS, row, strict=False))
        document = json.loads(row[-1])
        for name in ("link_local", "names", "servers"):
            document[name] = tuple(document.get(name) or ())
        for name in ("links", "sysctls"):
            document[name] = tuple((str(a), str(b)) for a, b in document.get(name) or ())
        document["rate"] = Rate(**document.get("rate") or {})
        ports = tuple(PublishedPort(**port) for port in json.loads(known.pop("ports")))
        filled: dict[str, Any] = {name: value or "" for name, value in known.items()}
        sandbox = "" if filled["driver"] == "host" else str(self._run.sandbox(filled["container_id"]))
        return Endpoint(**filled, **document, ports=ports, sandbox=sandbox)


class Addresses:
    """The addresses in use in one network, asked of an index: what that costs does not grow with their number."""

    def __init__(self, database: Database, network_id: str, version: int) -> None:
        self._database = database
        self._network_id = network_id
        # Spelt as in the index on it (0005_endpoints_ipv6.sql).
        self._column = "ipv4" if version == 4 else "json_extract(document, '$.ipv6')"

    def __contains__(self, address: object) -> bool:
        sql = f"SELECT 1 FROM endpoints WHERE network_id = ? AND {self._column} = ?"  # noqa: S608  # one of two words
        return bool(self._database.query(sql, (self._network_id, str(address))))

    def last(self) -> str | None:
        """Return the one given last, of those in use."""
        sql = f"SELECT {self._column} FROM endpoints WHERE network_id = ? AND {self._column} <> '' ORDER BY rowid DESC LIMIT 1"  # noqa: E501, S608
        rows = self._database.query(sql, (self._network_id,))
        return str(rows[0][0]) if rows else None


def _row(endpoint: Endpoint) -> tuple[str | None, ...]:
    document = {name: value for name, value in asdict(endpoint).items() if name not in _NOT_STORED}
    return (
        endpoint.id,
        endpoint.container_id,
        endpoint.network_id,
        endpoint.ipv4 or None,
        endpoint.mac or None,
        endpoint.host_link or None,
        json.dumps([asdict(port) for port in endpoint.ports]),
        json.dumps(document),
    )


def _network(*row: Any) -> Network:
    document = json.loads(row[4])
    document["pools"] = tuple(Pool(**pool) for pool in document["pools"])
    document["strangers"] = tuple(document.get("strangers") or ())
    return Network(**dict(zip(("id", "name", "driver", "created_at"), row, strict=False)), **document)


def _document(network: Network) -> str:
    whole = {name: getattr(network, name) for name in Network.__slots__[4:]}
    return json.dumps({**whole, "pools": [asdict(pool) for pool in network.pools]})
