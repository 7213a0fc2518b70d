"""A network's bridge on the host: which name and subnet it gets (pure), and making it so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

from wharf.errors import Conflict, NotFound
from wharf.kernel import rtnetlink
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.network import options, pools
from wharf.network.defaults import DEFAULT_SUBNET
from wharf.network.pools import Pool
from wharf.network.records import Network

DEFAULT_BRIDGE = "docker0"
_SYSCTL = Path("/proc/sys/net")
_LINK_LOCAL = "fe80::1"

Taken = Sequence[tuple[str, int]]
"""Subnets that are routed or addressed on the host, each with the index of its link."""


@dataclass(frozen=True, slots=True)
class BridgePlan:
    """The bridge that shall be, and what to tell the user when it is not the usual one."""

    name: str
    pools: tuple[Pool, ...]
    alias: str
    exists: bool = False
    mtu: int = 0  # 0 for the kernel's
    addresses: tuple[tuple[str, int], ...] = ()  # of its own, with prefix lengths
    isolated: bool = False  # its containers do not reach each other
    notice: str = ""


@dataclass(frozen=True, slots=True)
class ReadyBridge:
    """A bridge that is up."""

    plan: BridgePlan
    index: int
    mtu: int
    isolates: bool = False  # its links are kept apart by itself, and not by the firewall


def plan(links: Sequence[Link], taken: Taken, network: Network, *, key: str) -> BridgePlan:
    """Return which bridge ``network`` is to have. Pure.

    Args:
        links: all links of the host.
        taken: subnets that are in use: a pool on one of them (but on its own bridge) is given up for another one
            where that is nobody's wish, which is so for docker0.
        network: as recorded.
        key: of the data root.

    Raises:
        Unavailable: no subnet is free.
        Conflict: the bridge it names is no bridge.
    """
    alias = f"wharf:{key}"
    by_name = {link.name: link for link in links}
    chosen = options.bridge_options(network.options, internal=network.internal)
    if network.builtin and not chosen.name:
        draft = _default(by_name, taken, network, alias, key)
    else:
        draft = BridgePlan(chosen.name or f"br-{network.id[:12]}", network.pools, alias)
        link = by_name.get(draft.name)
        if link and link.kind != "bridge":
            raise Conflict(f"bridge {draft.name} of network {network.name}: an interface of that name is no bridge")
        draft = replace(draft, exists=bool(link))
    return replace(draft, mtu=chosen.mtu, isolated=not chosen.icc, addresses=_addresses(network, draft.pools, chosen))


def _addresses(network: Network, of: Iterable[Pool], chosen: options.BridgeOptions) -> tuple[tuple[str, int], ...]:
    wanted = []
    for pool in of:
        hidden = chosen.mode(pool.version) == "isolated" or (pool.version == 4 and chosen.inhibit_ipv4)
        if not hidden and (network.ipv4 if pool.version == 4 else network.ipv6):
            wanted.append((pool.gateway, pool.network.prefixlen))
    return tuple(wanted)


def own_address(links: Iterable[Link], addresses: Iterable[tuple[int, str]], name: str) -> str:
    """Return the first IPv4 address, CIDR, of a bridge that the host's administrator made. Pure.

    Args:
        links: all of the host.
        addresses: all of the host, CIDR, each after the index of its link.
        name: the bridge's.

    Raises:
        NotFound: there is no bridge of that name.
        Conflict: it has no address.
    """
    link = next((link for link in links if link.name == name and link.kind == "bridge"), None)
    if link is None:
        raise NotFound(f"bridge: there is no bridge {name}: make it, with an address, before the daemon starts")
    found = (address for number, address in addresses if number == link.number and ":" not in address)
    if (address := next(found, None)) is None:
        raise Conflict(f"bridge: {name} has no IPv4 address, which its containers' are to be near to: give it one")
    return address


def _default(by_name: dict[str, Link], taken: Taken, network: Network, alias: str, key: str) -> BridgePlan:
    preferred = network.bridge or DEFAULT_BRIDGE
    link = by_name.get(preferred)
    mine = link.number if link and link.alias == alias and link.kind == "bridge" else 0
    used = [cidr for cidr, owner in taken if not mine or owner != mine]
    name = preferred if mine else _free_name(by_name, network.bridge)
    pool = _free_pool(used, network, key)
    wanted = next((pool.subnet for pool in network.pools_of(4)), DEFAULT_SUBNET)
    notice = _notice(name, pool.subnet, wanted)
    return BridgePlan(name, (pool, *network.pools_of(6)), alias, exists=bool(mine), notice=notice)


def of_root(links: Iterable[Link], key: str) -> list[Link]:
    """Return the bridges that belong to the data root of ``key``. Pure."""
    return [link for link in links if link.kind == "bridge" and link.alias == f"wharf:{key}"]


def _free_name(by_name: dict[str, Link], preferred: str) -> str:
    wanted = [preferred, DEFAULT_BRIDGE] if preferred else [DEFAULT_BRIDGE]
    numbered = (f"wharf{i}" for i in range(len(by_name) + 1))
    return next(name for name in (*wanted, *numbered) if name not in by_name)


def _free_pool(used: list[str], network: Network, key: str) -> Pool:
    others = [ip_network(cidr, strict=False) for cidr in used]
    for candidate in (*network.pools_of(4), Pool(DEFAULT_SUBNET)):
        if not any(pools.overlap(candidate.network, other) for other in others if other.prefixlen):
            return pools.complete(candidate)
    return pools.choose(4, used, key=key)


def _notice(name: str, subnet: str, wanted: str) -> str:
    said = []
    if name != DEFAULT_BRIDGE:
        said.append(f"{DEFAULT_BRIDGE} belongs to something else: using bridge {name}")
    if subnet != wanted:
        said.append(f"{wanted} is in use: using subnet {subnet}")
    return "; ".join(said)


def observe(netlink_socket: Rtnetlink) -> tuple[list[Link], list[tuple[str, int]]]:
    """Return the links of the host and the subnets that are routed or addressed on them."""
    taken = [(route.destination, route.link) for route in netlink_socket.routes()]
    taken += [(f"{a.address}/{a.prefix_length}", a.link) for a in netlink_socket.addresses()]
    return netlink_socket.links(), taken


def ensure(host: Rtnetlink, wanted: BridgePlan) -> ReadyBridge:
    """Make the bridge, or complete one that is there; blocks; idempotent. Forwarding is on afterwards.

    Raises:
        OSError: the kernel refused.
    """
    if not wanted.exists:
        host.execute(
            rtnetlink.new_bridge(wanted.name, mac=_mac(wanted), mtu=wanted.mtu),
            rtnetlink.set_link(wanted.name, alias=wanted.alias, mtu=wanted.mtu),
        )
    link = host.link(wanted.name)
    assert link is not None, f"{wanted.name} was just made"
    # Answers to the host's own 127.0.0.1 come back through the bridge; the firewall's guard keeps others off.
    (_SYSCTL / "ipv4/conf" / wanted.name / "route_localnet").write_text("1")
    versions = {6 if ":" in address else 4 for address, _ in wanted.addresses}
    addresses = [rtnetlink.add_address(link.number, *address) for address in wanted.addresses]
    if 6 in versions:
        (_SYSCTL / "ipv6/conf" / wanted.name / "disable_ipv6").write_text("0")
        addresses.append(rtnetlink.add_address(link.number, _LINK_LOCAL, 64))
        stand_in = pools.loopback_stand_in(wanted.alias.partition(":")[2])
        addresses.append(rtnetlink.add_address(link.number, stand_in, 128, deprecated=True))
    host.execute(*addresses, rtnetlink.link_up(wanted.name))
    _forward(versions)
    return ReadyBridge(wanted, link.number, link.mtu, wanted.isolated and not _filters_bridges())


def _filters_bridges() -> bool:
    """Return whether frames that stay on a bridge pass the firewall.

    Then it keeps containers apart; an isolated link would also lose frames for a neighbour's published port, which
    the kernel translates and forwards on the bridge's own level.
    """
    try:
        return (_SYSCTL / "bridge/bridge-nf-call-iptables").read_text().strip() == "1"
    except FileNotFoundError:
        return False


def _forward(versions: set[int]) -> None:
    _write_unless(_SYSCTL / "ipv4/ip_forward", "1")
    if 6 not in versions or (_SYSCTL / "ipv6/conf/all/forwarding").read_text().strip() == "1":
        return
    # A host that forwards ignores router advertisements, and would lose its own way out, unless told otherwise.
    for setting in (_SYSCTL / "ipv6/conf").glob("*/accept_ra"):
        if setting.read_text().strip() == "1":
            setting.write_text("2")
    for name in ("default", "all"):
        (_SYSCTL / "ipv6/conf" / name / "forwarding").write_text("1")


def _write_unless(path: Path, value: str) -> None:
    if path.read_text().strip() != value:
        path.write_text(value)


def _mac(wanted: BridgePlan) -> str:
    digest = hashlib.sha256(f"{wanted.alias} {wanted.name}".encode()).digest()
    return "02:42:" + digest[:4].hex(":")
