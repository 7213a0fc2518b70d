"""Which addresses, names and links a container's new endpoints get. Nothing is awaited, so nobody comes between."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from wharf.errors import Forbidden, InvalidArgument
from wharf.network import ipam, options
from wharf.network.driver import Traits, TraitsOf
from wharf.network.endpoint import UNLIMITED, Endpoint, Wish
from wharf.network.pools import Pool
from wharf.network.records import Network, Records
from wharf.storage.layout import RunRoot


class Allocation:
    """The addresses of one engine's networks. For the thread that owns the engine."""

    def __init__(self, records: Records, run: RunRoot, traits_of: TraitsOf) -> None:
        self._records = records
        self._run = run
        self._traits_of = traits_of
        self._last: dict[tuple[str, int], str] = {}

    def forget(self) -> None:
        """Begin anew at each pool's first address."""
        self._last.clear()

    def choose(
        self, container_id: str, wanted: Sequence[tuple[Network, Wish]], present: Sequence[Endpoint], *, name: str
    ) -> list[Endpoint]:
        """Return the endpoints that shall be, none recorded yet, one a network.

        Args:
            container_id: whose they are.
            wanted: networks and what is asked of each.
            present: endpoints that the container has already.
            name: the container's, for errors.

        Raises:
            Forbidden: the container is in one of the networks already.
            Unavailable: no address is free, or the wanted one is not.
            InvalidArgument: an address that the network cannot have.
        """
        chosen: list[Endpoint] = []
        for network, wish in wanted:
            if any(e.network_id == network.id for e in (*present, *chosen)):
                raise Forbidden(f"endpoint with name {name or container_id} already exists in network {network.name}")
            chosen.append(self._endpoint(container_id, network, wish, (*present, *chosen)))
        return chosen

    def _endpoint(self, container_id: str, network: Network, wish: Wish, present: Sequence[Endpoint]) -> Endpoint:
        endpoint_id, traits = secrets.token_hex(32), self._traits_of(network.driver)
        ipv4, pool4 = self._address(network, 4, wish.ipv4)
        ipv6, pool6 = self._address(network, 6, wish.ipv6)
        addressed = bool(ipv4 or ipv6)
        mac = _mac(wish, ipv4, endpoint_id) if addressed and traits.own_mac else ""
        return Endpoint(
            id=endpoint_id,
            container_id=container_id,
            network_id=network.id,
            network_name=network.name,
            driver=network.driver,
            sandbox="" if network.driver == "host" else str(self._run.sandbox(container_id)),
            ipv4=ipv4,
            prefix_length=pool4.network.prefixlen if pool4 else 0,
            gateway=_gateway(network, pool4),
            ipv6=ipv6,
            prefix_length6=pool6.network.prefixlen if pool6 else 0,
            gateway6=_gateway(network, pool6),
            mac=mac,
            ports=(),
            host_link=f"veth{endpoint_id[:7]}" if addressed and traits.host_link else "",
            interface=(wish.interface or _free_interface(network, present)) if traits.interface else "",
            link_local=tuple(str(ip_address(a)) for a in wish.link_local),
            names=wish.names,
            links=wish.links,
            gateway_priority=wish.gateway_priority,
            sysctls=wish.sysctls,
            rate=wish.rate,
            servers=wish.servers,
            origin=wish.origin,
            announced=_announced(network, ipv4, ipv6, mac),
        )

    def _address(self, network: Network, version: int, wanted: str) -> tuple[str, Pool | None]:
        pools = network.pools_of(version)
        if not pools:
            if wanted and not _reserved(network, wanted):
                raise InvalidArgument(ipam.outside(wanted))
            return "", None
        used = self._records.addresses(network.id, version)
        if wanted:
            address = ipam.require_free(pools, used, wanted, version=version)
            return address, next(pool for pool in pools if ip_address(address) in pool.network)
        after = self._last.get((network.id, version)) or used.last()
        address = ipam.allocate(pools[0], used, after=after, name=f"{network.name} ({network.id})")
        self._last[network.id, version] = address
        return address, pools[0]


def _reserved(network: Network, address: str) -> bool:
    """Return whether an address is of a pool whose IP version the network does not use: nobody gets it (Docker)."""
    return any(ip_address(address) in pool.network for pool in network.pools)


def _mac(wish: Wish, ipv4: str, endpoint_id: str) -> str:
    return wish.mac or (ipam.mac_of(ipv4) if ipv4 else ipam.mac_of_id(endpoint_id))


def _announced(network: Network, ipv4: str, ipv6: str, mac: str) -> bool:
    """Return whether neighbours may know an address by another MAC. Pure.

    A broadcast reaches each of a bridge's containers, and so is not sent in vain. On a bridge of our own an IPv4
    address has the MAC that follows from it, unless it or an earlier owner was given another one.
    """
    if network.driver != "bridge" or ipv6 or options.NAME in network.options:
        return True
    return bool(ipv4) and (mac != ipam.mac_of(ipv4) or ipv4 in network.strangers)


def _gateway(network: Network, pool: Pool | None) -> str:
    """Return where the network's containers send what is for elsewhere; '' when the network leads nowhere."""
    if pool is None or network.internal:
        return ""
    if network.driver == "ipvlan" and network.options.get("ipvlan_mode", "l2") != "l2":
        return "::" if pool.version == 6 else "0.0.0.0"  # noqa: S104  # no gateway: out of the link
    return pool.leads if network.driver == "bridge" else pool.gateway


def _free_interface(network: Network, present: Iterable[Endpoint]) -> str:
    prefix = options.interface_prefix(network.options)
    taken = {endpoint.interface for endpoint in present}
    return next(name for name in (f"{prefix}{i}" for i in range(len(taken) + 1)) if name not in taken)


def require_possible(network: Network, wish: Wish, traits: Traits) -> None:
    """Raise InvalidArgument, in Docker's words, when ``wish`` asks what the network cannot give."""
    faults = []
    if network.builtin and (wish.ipv4 or wish.ipv6):
        faults.append("user specified IP address is supported on user defined networks only")
    for text, version in ((wish.ipv4, 4), (wish.ipv6, 6)):
        if text and not _is_address(text, version):
            faults.append(f"invalid IPv{version} address: {text}")
    faults += [f"invalid link-local IP address: {a}" for a in wish.link_local if not _is_link_local(a)]
    if wish.mac and not is_mac(wish.mac):
        faults.append(f"invalid MAC address: {wish.mac}")
    if wish.mac and traits.interface and not traits.own_mac:
        faults.append(f"{network.driver} interfaces do not support custom mac address assignment")
    if wish.rate != UNLIMITED and not traits.limits:
        faults.append(no_rate(network))
    if faults:
        text = "\n".join(faults)
        raise InvalidArgument(f"invalid config for network {network.name}: invalid endpoint settings:\n{text}")


def no_rate(network: Network) -> str:
    """Return what is to be said to who asks for a network rate in a network that has none. Pure."""
    return f"a network rate is for networks whose interfaces are made here, and not for {network.driver}"


def _is_address(text: str, version: int) -> bool:
    try:
        return ip_address(text).version == version
    except ValueError:
        return False


def _is_link_local(text: str) -> bool:
    try:
        return ip_address(text).is_link_local
    except ValueError:
        return False


def is_mac(text: str) -> bool:
    """Tell whether ``text`` is an address that an interface takes."""
    parts = text.split(":")
    try:
        values = [int(part, 16) for part in parts if len(part) == 2]
    except ValueError:
        return False
    # An interface refuses a multicast address (the lowest bit of the first byte) and all zeros.
    return len(values) == len(parts) == 6 and not values[0] & 1 and any(values)
