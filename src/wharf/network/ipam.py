"""Addresses of a pool: who gets which. Pure: what is taken comes from the endpoints' rows."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable
from ipaddress import IPv4Address, ip_address, ip_network
from itertools import chain

from wharf.errors import InvalidArgument, Unavailable
from wharf.network.pools import IPNetwork, Pool


def outside(address: str) -> str:
    """Return what Docker says of an address that is in none of a network's subnets."""
    return f"invalid endpoint settings:\nno configured subnet or ip-range contain the IP address {address}"


def allocate(pool: Pool, taken: Container[str], *, after: str | None = None, name: str = "") -> str:
    """Return the first free address behind ``after``, then from the pool's beginning.

    Going on behind the last one keeps an address unused for a while after its release, as far as the pool allows.

    Args:
        pool: its network and broadcast address, gateway and auxiliary addresses are never given.
        taken: tells whether an address, in its usual spelling, is in use; asked of each that is considered.
        after: the address given last.
        name: how errors name the network.

    Raises:
        Unavailable: all are taken.
    """
    first, last = _hosts(pool)
    reserved = {int(ip_address(address)) for address in pool.reserved}
    spelt = pool.network.network_address.__class__
    begin = int(ip_address(after)) + 1 if after else first
    begin = begin if first <= begin <= last else first
    for candidate in chain(range(begin, last + 1), range(first, begin)):
        if candidate not in reserved and (address := str(spelt(candidate))) not in taken:
            return address
    raise Unavailable(f"no available IPv{pool.version} addresses on this network's address pools: {name}")


def usage(pool: Pool, taken: Iterable[str]) -> tuple[int, int]:
    """Return how many addresses of a subnet nobody can get any more, and how many may still be chosen from its range.

    Args:
        pool: its ends, gateway and auxiliary addresses count as gone.
        taken: addresses in use, of whatever subnets.
    """
    whole, chosen = pool.network, ip_network(pool.ip_range or pool.subnet)
    gone = {address for text in (*pool.reserved, *taken) if (address := ip_address(text)) in whole}
    if _has_ends(whole):
        gone |= {whole[0]} if whole.version == 6 else {whole[0], whole[-1]}
    return len(gone), chosen.num_addresses - sum(1 for address in gone if address in chosen)


def _hosts(pool: Pool) -> tuple[int, int]:
    """Return the first and the last address that may be given."""
    within, whole = ip_network(pool.ip_range or pool.subnet), pool.network
    first, last = int(within[0]), int(within[-1])
    if _has_ends(whole):
        first = max(first, int(whole[0]) + 1)
        last = min(last, int(whole[-1]) - 1) if whole.version == 4 else last
    return first, last


def _has_ends(network: IPNetwork) -> bool:
    # RFC 3021: a subnet of two has neither a network's nor a broadcast address.
    return network.num_addresses > 2


def require_free(pools: Iterable[Pool], taken: Container[str], wanted: str, *, version: int) -> str:
    """Return ``wanted`` in its usual spelling.

    Raises:
        InvalidArgument: it is no host's address of one of ``pools``.
        Unavailable: it is in use.
    """
    try:
        address = ip_address(wanted)
    except ValueError:
        raise InvalidArgument(f"invalid IPv{version} address: {wanted}") from None
    if address.version != version:
        raise InvalidArgument(f"invalid IPv{version} address: {wanted}")
    home = next((pool for pool in pools if address in pool.network), None)
    ends = (home.network[0], home.network[-1] if version == 4 else None) if home and _has_ends(home.network) else ()
    if home is None or address in ends:
        raise InvalidArgument(outside(wanted))
    if str(address) in taken or str(address) in home.reserved:
        raise Unavailable("Address already in use")
    return str(address)


def mac_of(address: str) -> str:
    """Return the locally administered MAC of an IPv4 ``address``: 02:42 and its four bytes.

    An address that is used again thus keeps its MAC, and no neighbour's table is stale.
    """
    return "02:42:" + IPv4Address(address).packed.hex(":")


def mac_of_id(endpoint_id: str) -> str:
    """Return a locally administered MAC for an endpoint without an IPv4 address."""
    return "02:42:" + bytes.fromhex(endpoint_id[:8]).hex(":")


def random_mac() -> str:
    """Return a locally administered MAC by lot, for who must know it before there is an address."""
    return "02:42:" + secrets.token_bytes(4).hex(":")
