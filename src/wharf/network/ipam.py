"""Addresses of a subnet: who gets which. Pure: what is taken comes from the endpoints' rows."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network
from itertools import chain

from wharf.errors import InvalidArgument, Unavailable


def allocate(subnet: IPv4Network, taken: Collection[str], *, after: str | None = None, pool: str = "") -> str:
    """Return the first free address behind ``after``, then from the subnet's beginning.

    Going on behind the last one keeps an address unused for a while after its release, as far as the subnet allows.

    Args:
        subnet: network and broadcast address are never given.
        taken: addresses in use, the gateway's among them.
        after: the address given last.
        pool: how errors name the network.

    Raises:
        Unavailable: all are taken.
    """
    first, last = int(subnet.network_address) + 1, int(subnet.broadcast_address) - 1
    used = {int(IPv4Address(address)) for address in taken}
    begin = int(IPv4Address(after)) + 1 if after and IPv4Address(after) in subnet else first
    for candidate in chain(range(begin, last + 1), range(first, min(begin, last + 1))):
        if candidate not in used:
            return str(IPv4Address(candidate))
    raise Unavailable(f"no available IPv4 addresses on this network's address pools: {pool or subnet}")


def require_free(subnet: IPv4Network, taken: Collection[str], wanted: str) -> str:
    """Return ``wanted`` in its usual spelling.

    Raises:
        InvalidArgument: it is no host's address of ``subnet``.
        Unavailable: it is in use.
    """
    try:
        address = IPv4Address(wanted)
    except ValueError:
        raise InvalidArgument(f"invalid IPv4 address: {wanted}") from None
    if address not in subnet or address in (subnet.network_address, subnet.broadcast_address):
        raise InvalidArgument(f"no configured subnet contains IP address {wanted}")
    if str(address) in taken:
        raise Unavailable("Address already in use")
    return str(address)


def mac_of(address: str) -> str:
    """Return the locally administered MAC of ``address``: 02:42 and its four bytes.

    An address that is used again thus keeps its MAC, and no neighbour's table is stale.
    """
    return "02:42:" + IPv4Address(address).packed.hex(":")
