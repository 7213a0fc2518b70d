"""Which subnets a network gets: those that were asked for, or free ones of the predefined pools. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from wharf.errors import Forbidden, InvalidArgument, Unavailable

IPNetwork = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address

DEFAULT_GATEWAY = "DefaultGatewayIPv{}"
_OVERLAP = "invalid pool request: Pool overlaps with other one on this address space"
_EXHAUSTED = "all predefined address pools have been fully subnetted"
# 172.17.0.0/16 is docker0's. Subnets are small so that many fit, and so that few of a VPN's routes are met.
_POOLS_IPV4 = tuple(IPv4Network(f"172.{second}.0.0/16") for second in range(18, 32))
_MORE_IPV4 = IPv4Network("192.168.0.0/16")
_PREFIX_IPV4, _PREFIX_IPV6 = 22, 64
_STAND_INS = 0xFFFF  # the last subnet of the data root's prefix: no network gets it


@dataclass(frozen=True, slots=True)
class Pool:
    """A subnet of a network."""

    subnet: str  # CIDR
    gateway: str = ""  # '' until it is chosen, or where there is none
    ip_range: str = ""  # the part that addresses are chosen from; '' for all
    auxiliary: Mapping[str, str] = field(default_factory=dict)  # name → an address that nobody gets
    id: str = ""  # by which an IPAM plugin knows it

    @property
    def network(self) -> IPNetwork:
        """The subnet."""
        return ip_network(self.subnet)

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.subnet else 4

    @property
    def leads(self) -> str:
        """Where a bridge's containers send what is for elsewhere: an auxiliary address of that name, or the gateway.

        Docker's daemon calls them so itself (``--default-gateway``), and lets people (``--aux-address``).
        """
        return self.auxiliary.get(DEFAULT_GATEWAY.format(self.version), self.gateway)

    @property
    def reserved(self) -> list[str]:
        """Addresses that no container gets."""
        return [address for address in (self.gateway, *self.auxiliary.values()) if address]


def complete(pool: Pool) -> Pool:
    """Return ``pool`` with a gateway: the first host of its range, or of its subnet.

    Raises:
        InvalidArgument: all are auxiliary addresses.
    """
    if pool.gateway or pool.id:  # a plugin has said what its gateway is
        return pool
    within = ip_network(pool.ip_range or pool.subnet)
    whole = pool.network
    nobodys = {whole[0]} if whole.num_addresses > 2 else set()  # RFC 3021: two have no network's address
    hosts = (a for a in (within[0], *_first_hosts(within)) if a not in nobodys)
    gateway = next((str(a) for a in hosts if str(a) not in pool.auxiliary.values()), None)
    if gateway is None:
        raise InvalidArgument(f"invalid network config:\nno address of {within} is left for the gateway of {whole}")
    return Pool(pool.subnet, gateway, pool.ip_range, pool.auxiliary)


def _first_hosts(network: IPNetwork) -> Iterator[IPAddress]:
    for number in range(1, min(network.num_addresses, 1 << 16)):
        yield network[number]


def require_disjoint(wanted: Iterable[Pool], others: Iterable[Pool]) -> None:
    """Raise Forbidden, in Docker's words, when a pool overlaps one of another network or of its own."""
    seen = list(others)
    for pool in wanted:
        if any(overlap(pool.network, other.network) for other in seen):
            raise Forbidden(_OVERLAP)
        seen.append(pool)


def overlap(one: IPNetwork, other: IPNetwork) -> bool:
    """Return whether two subnets, of whatever versions, share an address."""
    return one.version == other.version and one.overlaps(other)


def within(inner: IPNetwork, outer: IPNetwork) -> bool:
    """Return whether a subnet, of whatever version, lies in another one."""
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # the same version


def choose(version: int, used: Iterable[str], *, key: str, ranges: Sequence[tuple[str, int]] = ()) -> Pool:
    """Return a free subnet of the predefined pools.

    Args:
        version: of IP.
        used: subnets in CIDR form: other networks', routed ones, addresses in use.
        key: the data root's; IPv6 subnets are of a prefix of its own (RFC 4193).
        ranges: in place of the predefined pools of that version, if there is one: a range and its subnets' length.

    Raises:
        Unavailable: none is free.
    """
    taken = [ip_network(cidr, strict=False) for cidr in used]
    same = [network for network in taken if network.version == version and network.prefixlen]
    usual: Iterator[IPNetwork] = _ipv4_subnets() if version == 4 else _ipv6_subnets(key)
    own = [(ip_network(base), size) for base, size in ranges if ip_network(base).version == version]
    listed: Iterator[IPNetwork] = (subnet for base, size in own for subnet in base.subnets(new_prefix=size))
    candidates = listed if own else usual
    for candidate in candidates:
        if not any(overlap(candidate, other) for other in same):
            return complete(Pool(str(candidate)))
    raise Unavailable(_EXHAUSTED)


def _ipv4_subnets() -> Iterator[IPv4Network]:
    # The first subnet of each /16 before the second of any: what a VPN brings is often a whole /16.
    for number in range(1 << (_PREFIX_IPV4 - 16)):
        for pool in (*_POOLS_IPV4, _MORE_IPV4):
            if pool is not _MORE_IPV4 or number >= 4:  # home routers live in the beginning of 192.168
                yield IPv4Network((int(pool[0]) + (number << (32 - _PREFIX_IPV4)), _PREFIX_IPV4))


def _ipv6_subnets(key: str) -> Iterator[IPv6Network]:
    for number in range(_STAND_INS):
        yield IPv6Network((_prefix(key) | number << 64, _PREFIX_IPV6))


def loopback_stand_in(key: str) -> str:
    """Return the address that stands for ::1 in packets that go to a container; see :mod:`wharf.network.rules`.

    Its words have the same sum as those of ::1 in a checksum (RFC 1071), so that one may be written in place of the
    other where nobody counts anew (as RFC 6296 does with prefixes).
    """
    subnet = _prefix(key) | _STAND_INS << 64
    words = sum(subnet >> shift & 0xFFFF for shift in range(0, 128, 16))
    return str(IPv6Address(subnet | ((1 - words) % 0xFFFF or 0xFFFF)))


def _prefix(key: str) -> int:
    return (0xFD << 40 | int.from_bytes(hashlib.sha256(f"wharf {key}".encode()).digest()[:5])) << 80


def parse(document: Mapping[str, object]) -> Pool:
    """Return the pool that an entry of IPAM.Config asks for; only its own consistency is checked.

    Raises:
        InvalidArgument: in Docker's words, one line a fault.
    """
    subnet, ip_range = str(document.get("Subnet") or ""), str(document.get("IPRange") or "")
    gateway = str(document.get("Gateway") or "")
    auxiliary = document.get("AuxiliaryAddresses") or {}
    assert isinstance(auxiliary, Mapping)
    try:
        parent = _block(subnet)
    except ValueError:
        raise InvalidArgument(f"invalid subnet {subnet}: invalid CIDR block notation") from None
    if subnet.partition("/")[0] != str(parent[0]) and ip_address(subnet.partition("/")[0]) != parent[0]:
        raise InvalidArgument(f"invalid subnet {subnet}: it should be {parent}")
    faults = [*_range_faults(ip_range, parent), *_address_faults("gateway", gateway, parent)]
    for address in auxiliary.values():
        faults += _address_faults("auxiliary address", str(address), parent)
    if faults:
        raise InvalidArgument("\n".join(faults))
    return Pool(
        str(parent),
        str(ip_address(gateway)) if gateway else "",
        str(ip_network(ip_range)) if ip_range else "",
        {str(name): str(ip_address(str(address))) for name, address in auxiliary.items()},
    )


def _block(text: str) -> IPNetwork:
    """Return a block; ValueError without the length of its prefix, which nobody means to be that of one address."""
    if "/" not in text:
        raise ValueError(text)
    return ip_network(text, strict=False)


def _range_faults(text: str, parent: IPNetwork) -> list[str]:
    try:
        within = _block(text) if text else parent
    except ValueError:
        return [f"invalid ip-range {text}: invalid CIDR block notation"]
    if within.version != parent.version:
        return [f"invalid ip-range {text}: parent subnet is an IPv{parent.version} block"]
    if within.prefixlen < parent.prefixlen:
        return [f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {parent}"]
    if within[0] not in parent:
        return [f"invalid ip-range {text}: parent subnet {parent} doesn't contain ip-range"]
    if text and ip_address(text.partition("/")[0]) != within[0]:
        return [f"invalid ip-range {text}: it should be {within}"]
    return []


def _address_faults(what: str, text: str, parent: IPNetwork) -> list[str]:
    if not text:
        return []
    try:
        address = ip_address(text)
    except ValueError:
        return [f"invalid {what} {text}: invalid address"]
    if address.version != parent.version:
        return [f"invalid {what} {text}: parent subnet is an IPv{parent.version} block"]
    if address not in parent:
        return [f"invalid {what} {text}: parent subnet {parent} doesn't contain this address"]
    return []
