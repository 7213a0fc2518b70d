"""What can be asked of rtnetlink: links, addresses, routes, neighbours (rtnetlink(7), linux/if_link.h).

Requests are values: :meth:`wharf.kernel.netlink.Rtnetlink.execute` sends any number of them at once.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

from wharf.kernel import netlink_constants as c
from wharf.kernel.netlink_wire import Request, attribute, family, ip, mac, nested, text, u16, u32

LINK = struct.Struct("=BxHiII")  # family, type, index, flags, change
ADDRESS = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, index
ROUTE = struct.Struct("=BBBBBBBBI")  # family, dst and src length, tos, table, protocol, scope, type, flags
_LIFETIMES = struct.Struct("=IIII")  # preferred and valid, in seconds; two moments that the kernel fills in
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # family, index, state, flags, type

# No link-local IPv6 address is made: no router solicitation, no duplicate address detection.
_LEAST_IPV6_MTU = 1280  # RFC 8200, section 5
_NO_IPV6_ADDRESS = nested(
    c.IFLA_AF_SPEC,
    nested(socket.AF_INET6, attribute(c.IFLA_INET6_ADDR_GEN_MODE, bytes([c.IN6_ADDR_GEN_MODE_NONE]))),
)


def link_header(index: int = 0, *, up: bool = False) -> bytes:
    """Return an ifinfomsg."""
    flags = c.IFF_UP if up else 0
    return LINK.pack(socket.AF_UNSPEC, 0, index, flags, flags)


def _new(name: str, kind: str, rest: bytes, *data: bytes, up: bool = False) -> Request:
    what = nested(c.IFLA_LINKINFO, text(c.IFLA_INFO_KIND, kind), nested(c.IFLA_INFO_DATA, *data))
    body = link_header(up=up) + text(c.IFLA_IFNAME, name) + rest + what
    return Request(c.RTM_NEWLINK, c.NLM_F_CREATE | c.NLM_F_EXCL, body, f"make {kind} {name}")


def new_veth(name: str, *, peer: str, peer_namespace: int, peer_mac: str, master: int, mtu: int) -> Request:
    """Make a veth pair: ``name`` here, up, in bridge ``master``; ``peer`` in the namespace of that descriptor.

    The peer is down: the kernel cannot set it up before it has its other end. A master of 0 is none.
    """
    far = link_header() + (
        text(c.IFLA_IFNAME, peer)
        + u32(c.IFLA_MTU, mtu)
        + mac(c.IFLA_ADDRESS, peer_mac)
        + u32(c.IFLA_NET_NS_FD, peer_namespace)
    )
    own = u32(c.IFLA_MTU, mtu) + (u32(c.IFLA_MASTER, master) if master else b"")
    return _new(name, "veth", own, attribute(c.VETH_INFO_PEER, far), up=True)


def new_veth_here(name: str, *, peer: str, peer_mac: str) -> Request:
    """Make a veth pair whose ends are both here, down."""
    far = link_header() + text(c.IFLA_IFNAME, peer) + mac(c.IFLA_ADDRESS, peer_mac)
    return _new(name, "veth", b"", attribute(c.VETH_INFO_PEER, far))


def set_alias(name: str, alias: str) -> Request:
    """Give a link an alias."""
    return _change(name, attribute(c.IFLA_IFALIAS, alias.encode()), f"name {name}")


def new_bridge(name: str, *, mac: str, mtu: int = 0) -> Request:
    """Make a bridge whose address stays ``mac`` whatever joins it, and whose ports forward at once."""
    own = _mac(mac) + (u32(c.IFLA_MTU, mtu) if mtu else b"")
    return _new(name, "bridge", own, u32(c.IFLA_BR_FORWARD_DELAY, 0))


def new_macvlan(name: str, *, parent: int, mode: str, namespace: int, mac: str, mtu: int = 0) -> Request:
    """Make a macvlan link on ``parent`` in that namespace; mode: bridge, private, vepa, passthru; mac '': by lot."""
    own = u32(c.IFLA_LINK, parent) + (_mac(mac) if mac else b"") + u32(c.IFLA_NET_NS_FD, namespace)
    own += u32(c.IFLA_MTU, mtu) if mtu else b""
    return _new(name, "macvlan", own, u32(c.IFLA_MACVLAN_MODE, c.MACVLAN_MODES[mode]))


def new_ipvlan(name: str, *, parent: int, mode: str, flag: str, namespace: int, mtu: int = 0) -> Request:
    """Make an ipvlan link on ``parent`` in the namespace of that descriptor; mode: l2, l3, l3s."""
    own = u32(c.IFLA_LINK, parent) + u32(c.IFLA_NET_NS_FD, namespace) + (u32(c.IFLA_MTU, mtu) if mtu else b"")
    flags = u16(c.IFLA_IPVLAN_FLAGS, c.IPVLAN_FLAGS[flag])
    return _new(name, "ipvlan", own, u16(c.IFLA_IPVLAN_MODE, c.IPVLAN_MODES[mode]), flags)


def new_vlan(name: str, *, parent: int, number: int) -> Request:
    """Make the link of a VLAN (802.1q) on ``parent``."""
    return _new(name, "vlan", u32(c.IFLA_LINK, parent), u16(c.IFLA_VLAN_ID, number), up=True)


def new_dummy(name: str) -> Request:
    """Make a link that leads nowhere."""
    return _new(name, "dummy", b"", up=True)


def set_link(
    name: str,
    *,
    alias: str | None = None,
    hairpin: bool = False,
    isolated: bool = False,
    up: bool = False,
    mtu: int = 0,
) -> Request:
    """Change a link: give it an alias, let its bridge send frames back where they came from, set it up.

    ``isolated``: its bridge lets it speak to the host and not to other isolated links (bridge(8)). No link-local
    IPv6 address will be made on it; with an ``mtu`` (0: the usual one) too small for IPv6 the kernel has none of that
    there, and refuses to be told so (EAFNOSUPPORT).
    """
    body = link_header(up=up) + text(c.IFLA_IFNAME, name)
    if not 0 < mtu < _LEAST_IPV6_MTU:
        body += _NO_IPV6_ADDRESS
    if alias is not None:
        body += attribute(c.IFLA_IFALIAS, alias.encode())
    port = [attribute(c.IFLA_BRPORT_MODE, b"\1")] if hairpin else []
    port += [attribute(c.IFLA_BRPORT_ISOLATED, b"\1")] if isolated else []
    if port:
        slave = text(c.IFLA_INFO_SLAVE_KIND, "bridge") + nested(c.IFLA_INFO_SLAVE_DATA, *port)
        body += nested(c.IFLA_LINKINFO, slave)
    return Request(c.RTM_NEWLINK, 0, body, f"set up {name}")


def set_master(name: str, master: int) -> Request:
    """Make a link a port of the bridge of that index."""
    return _change(name, u32(c.IFLA_MASTER, master), f"join {name} to a bridge")


def rename_index(index: int, new: str) -> Request:
    """Give a link another name."""
    return Request(c.RTM_NEWLINK, 0, link_header(index) + text(c.IFLA_IFNAME, new), f"rename link {index} to {new}")


def move_link(index: int, namespace: int, name: str) -> Request:
    """Move a link to the namespace of that descriptor, where it is called ``name``; it is down there."""
    body = link_header(index) + u32(c.IFLA_NET_NS_FD, namespace) + text(c.IFLA_IFNAME, name)
    return Request(c.RTM_NEWLINK, 0, body, f"move {name}")


def link_up(name: str) -> Request:
    """Set a link up."""
    return Request(c.RTM_NEWLINK, 0, link_header(up=True) + text(c.IFLA_IFNAME, name), f"set {name} up")


def set_mac(name: str, mac: str) -> Request:
    """Give a link its MAC; also the one it has, which makes it announce its address where arp_notify is set."""
    return _change(name, _mac(mac), f"set MAC of {name}")


def delete_link(name: str) -> Request:
    """Delete a link. Deleting a veth waits for the kernel's readers (22 ms): delete its namespace where you can."""
    return Request(c.RTM_DELLINK, 0, link_header() + text(c.IFLA_IFNAME, name), f"delete {name}")


def add_address(link: int, address: str, prefix_length: int, *, deprecated: bool = False) -> Request:
    """Give an address to a link; one that it has already is no error.

    IPv6: without duplicate address detection, for the engine alone gives addresses here. What is ``deprecated`` is
    never chosen as the source of a packet where there is another (RFC 6724).
    """
    version = family(address)
    flags = c.IFA_F_NODAD if version == socket.AF_INET6 else 0
    body = ADDRESS.pack(version, prefix_length, flags, c.RT_SCOPE_UNIVERSE, link)
    body += ip(c.IFA_LOCAL, address) + ip(c.IFA_ADDRESS, address)
    if version == socket.AF_INET:
        network = ipaddress.IPv4Interface(f"{address}/{prefix_length}").network
        body += ip(c.IFA_BROADCAST, str(network.broadcast_address))
    if deprecated:
        body += attribute(c.IFA_CACHEINFO, _LIFETIMES.pack(0, 0xFFFFFFFF, 0, 0))
    return Request(c.RTM_NEWADDR, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"add address {address}/{prefix_length}")


def remove_address(link: int, address: str, prefix_length: int) -> Request:
    """Take an address from a link."""
    body = ADDRESS.pack(family(address), prefix_length, 0, c.RT_SCOPE_UNIVERSE, link) + ip(c.IFA_LOCAL, address)
    return Request(c.RTM_DELADDR, 0, body, f"remove address {address}/{prefix_length}")


def add_default_route(gateway: str, link: int) -> Request:
    """Send what no other route takes to ``gateway``, in place of where it went before."""
    body = _default(gateway) + ip(c.RTA_GATEWAY, gateway) + u32(c.RTA_OIF, link)
    return Request(c.RTM_NEWROUTE, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"route by {gateway}")


def add_default_link_route(link: int, *, version: int) -> Request:
    """Send what no other route takes out of ``link`` (ipvlan in layer 3 has no gateway)."""
    any_ = "::" if version == 6 else "0.0.0.0"  # noqa: S104  # the default route's word for everywhere
    body = _default(any_, scope=c.RT_SCOPE_LINK if version == 4 else c.RT_SCOPE_UNIVERSE) + u32(c.RTA_OIF, link)
    return Request(c.RTM_NEWROUTE, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"route by link {link}")


def add_route(destination: str, link: int, gateway: str = "") -> Request:
    """Send what is for ``destination``, in CIDR form, out of ``link``; by a neighbour there unless that is ''."""
    network = ipaddress.ip_network(destination)
    scope = c.RT_SCOPE_UNIVERSE if gateway or network.version == 6 else c.RT_SCOPE_LINK
    head = ROUTE.pack(
        family(str(network[0])), network.prefixlen, 0, 0, c.RT_TABLE_MAIN, c.RTPROT_BOOT, scope, c.RTN_UNICAST, 0
    )
    by = ip(c.RTA_GATEWAY, gateway) if gateway else b""
    body = head + ip(c.RTA_DST, str(network[0])) + by + u32(c.RTA_OIF, link)
    return Request(c.RTM_NEWROUTE, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"route to {destination}")


def add_neighbour_route(address: str, link: int) -> Request:
    """Say that ``address``, an IPv4 one, is a neighbour on ``link``."""
    head = ROUTE.pack(socket.AF_INET, 32, 0, 0, c.RT_TABLE_MAIN, c.RTPROT_BOOT, c.RT_SCOPE_LINK, c.RTN_UNICAST, 0)
    body = head + ip(c.RTA_DST, address) + u32(c.RTA_OIF, link)
    return Request(c.RTM_NEWROUTE, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"route to {address}")


def _default(gateway: str, *, scope: int = c.RT_SCOPE_UNIVERSE) -> bytes:
    return ROUTE.pack(family(gateway), 0, 0, 0, c.RT_TABLE_MAIN, c.RTPROT_BOOT, scope, c.RTN_UNICAST, 0)


def set_neighbour(link: int, address: str, mac_address: str, *, permanent: bool = False) -> Request:
    """Say that ``address`` is at that MAC, until the kernel finds otherwise: replaces what an earlier owner left."""
    state = c.NUD_PERMANENT if permanent else c.NUD_STALE
    body = _NEIGHBOUR.pack(family(address), link, state, 0, 0) + (
        ip(c.NDA_DST, address) + mac(c.NDA_LLADDR, mac_address)
    )
    return Request(c.RTM_NEWNEIGH, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"neighbour {address}")


def set_bridge_entry(port: int, mac_address: str) -> Request:
    """Tell a bridge that ``mac_address`` is behind its link ``port``, until it learns otherwise (bridge(8), fdb)."""
    body = _NEIGHBOUR.pack(socket.AF_BRIDGE, port, c.NUD_REACHABLE, c.NTF_MASTER, 0) + mac(c.NDA_LLADDR, mac_address)
    return Request(c.RTM_NEWNEIGH, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"place {mac_address} behind link {port}")


def _mac(value: str) -> bytes:
    return mac(c.IFLA_ADDRESS, value)


def _change(name: str, change: bytes, what: str) -> Request:
    return Request(c.RTM_NEWLINK, 0, link_header() + text(c.IFLA_IFNAME, name) + change, what)
