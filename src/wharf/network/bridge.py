"""A network's bridge on the host: which name and subnet it gets (pure), and making it so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from wharf.errors import Unavailable
from wharf.kernel import netlink
from wharf.kernel.netlink import Link, Rtnetlink

DEFAULT_BRIDGE = "docker0"
DEFAULT_SUBNET = "172.17.0.0/16"
_IPV4 = Path("/proc/sys/net/ipv4")


@dataclass(frozen=True, slots=True)
class BridgePlan:
    """The bridge that shall be, and what to tell the user when it is not the usual one."""

    name: str
    subnet: str
    alias: str
    exists: bool = False
    notice: str = ""

    @property
    def gateway(self) -> str:
        """The bridge's own address: the first of the subnet."""
        return str(IPv4Network(self.subnet)[1])

    @property
    def prefix_length(self) -> int:
        """Of the subnet."""
        return IPv4Network(self.subnet).prefixlen


@dataclass(frozen=True, slots=True)
class ReadyBridge:
    """A bridge that is up."""

    plan: BridgePlan
    index: int
    mtu: int


def plan(
    links: Sequence[Link], taken: Iterable[tuple[str, int]], *, key: str, name: str = "", subnet: str = ""
) -> BridgePlan:
    """Return which bridge to use. Pure.

    Args:
        links: all links of the host.
        taken: subnets that are routed or addressed, each with the index of its link.
        key: of the data root.
        name: the bridge that was used last time, if any.
        subnet: its subnet.

    Raises:
        Unavailable: no subnet is free.
    """
    alias = f"wharf:{key}"
    by_name = {link.name: link for link in links}
    ours = by_name.get(name or DEFAULT_BRIDGE)
    mine = ours.number if ours and ours.alias == alias and ours.kind == "bridge" else 0
    used = [IPv4Network(cidr, strict=False) for cidr, link in taken if not mine or link != mine]
    chosen_name = (name or DEFAULT_BRIDGE) if mine else _free_name(by_name, name)
    chosen_subnet = _free_subnet(used, subnet)
    return BridgePlan(
        chosen_name, chosen_subnet, alias, exists=bool(mine), notice=_notice(chosen_name, chosen_subnet)
    )


def of_root(links: Iterable[Link], key: str) -> list[Link]:
    """Return the bridges that belong to the data root of ``key``. Pure."""
    return [link for link in links if link.kind == "bridge" and link.alias == f"wharf:{key}"]


def _free_name(by_name: dict[str, Link], preferred: str) -> str:
    wanted = [preferred, DEFAULT_BRIDGE] if preferred else [DEFAULT_BRIDGE]
    numbered = (f"wharf{i}" for i in range(len(by_name) + 1))
    return next(name for name in (*wanted, *numbered) if name not in by_name)


def _free_subnet(used: list[IPv4Network], preferred: str) -> str:
    for candidate in _subnets(preferred):
        if not any(candidate.overlaps(other) for other in used):
            return str(candidate)
    raise Unavailable("all predefined address pools have been fully subnetted")


def _subnets(preferred: str) -> Iterator[IPv4Network]:
    if preferred:
        yield IPv4Network(preferred)
    yield IPv4Network(DEFAULT_SUBNET)
    for second in range(18, 32):
        yield IPv4Network(f"172.{second}.0.0/16")
    yield from IPv4Network("192.168.0.0/16").subnets(new_prefix=20)


def _notice(name: str, subnet: str) -> str:
    said = []
    if name != DEFAULT_BRIDGE:
        said.append(f"{DEFAULT_BRIDGE} belongs to something else: using bridge {name}")
    if subnet != DEFAULT_SUBNET:
        said.append(f"{DEFAULT_SUBNET} is in use: using subnet {subnet}")
    return "; ".join(said)


def observe(netlink_socket: Rtnetlink) -> tuple[list[Link], list[tuple[str, int]]]:
    """Return the links of the host and the subnets that are routed or addressed on them."""
    taken = [(route.destination, route.link) for route in netlink_socket.routes()]
    taken += [(f"{a.address}/{a.prefix_length}", a.link) for a in netlink_socket.addresses()]
    return netlink_socket.links(), taken


def ensure(netlink_socket: Rtnetlink, wanted: BridgePlan) -> ReadyBridge:
    """Make the bridge, or complete one that is there; blocks; idempotent. Forwarding is on afterwards.

    Raises:
        OSError: the kernel refused.
    """
    if not wanted.exists:
        netlink_socket.execute(
            netlink.new_bridge(wanted.name, mac=_mac(wanted)), netlink.set_link(wanted.name, alias=wanted.alias)
        )
    link = netlink_socket.link(wanted.name)
    assert link is not None, f"{wanted.name} was just made"
    # Answers to the host's own 127.0.0.1 come back through the bridge; the firewall's guard keeps others off.
    (_IPV4 / "conf" / wanted.name / "route_localnet").write_text("1")
    netlink_socket.execute(
        netlink.add_address(link.number, wanted.gateway, wanted.prefix_length), netlink.link_up(wanted.name)
    )
    forward = _IPV4 / "ip_forward"
    if forward.read_text().strip() != "1":
        forward.write_text("1")
    return ReadyBridge(wanted, link.number, link.mtu)


def _mac(wanted: BridgePlan) -> str:
    digest = hashlib.sha256(f"{wanted.alias} {wanted.name}".encode()).digest()
    return "02:42:" + digest[:4].hex(":")
