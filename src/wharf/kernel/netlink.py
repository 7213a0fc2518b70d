"""A small batched rtnetlink: links, addresses, routes and neighbours in as few system calls as the kernel allows.

Requests are values; :meth:`Rtnetlink.execute` sends any number of them in one ``send``. The kernel works through
such a batch inside that call, so a process that is killed has either sent all of it or nothing.

Why not a library: see docs/decisions/netlink.md. (rtnetlink(7), netlink(7), linux/rtnetlink.h, linux/if_link.h.)
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from wharf.kernel import netlink_constants as c

_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, dst and src length, tos, table, protocol, scope, type, flags
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # family, index, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")
_RECEIVE_BYTES = 1 << 16


class Request(NamedTuple):
    """One message to the kernel; ``what`` names it in errors."""

    kind: int
    flags: int
    body: bytes
    what: str


class Link(NamedTuple):
    """A network interface."""

    number: int  # ifindex: "index" is a method of every tuple
    name: str
    alias: str
    kind: str  # "bridge", "veth" ..., '' for hardware
    mac: str
    mtu: int
    up: bool
    carries: bool  # its operational state is "up": frames flow
    master: int  # the bridge it is in, 0 for none


class Route(NamedTuple):
    """A unicast IPv4 route."""

    destination: str  # in CIDR form
    link: int  # 0 for one without an interface


class Address(NamedTuple):
    """An IPv4 address of an interface."""

    link: int
    address: str
    prefix_length: int


def _attribute(kind: int, payload: bytes) -> bytes:
    return _ATTRIBUTE.pack(4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def _nested(kind: int, *attributes: bytes) -> bytes:
    return _attribute(kind | c.NLA_F_NESTED, b"".join(attributes))


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _u32(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _mac(kind: int, value: str) -> bytes:
    return _attribute(kind, bytes.fromhex(value.replace(":", "")))


def _ipv4(kind: int, value: str) -> bytes:
    return _attribute(kind, socket.inet_aton(value))


# No link-local IPv6 address is made: no router solicitation, no duplicate address detection.
_NO_IPV6_ADDRESS = _nested(
    c.IFLA_AF_SPEC,
    _nested(socket.AF_INET6, _attribute(c.IFLA_INET6_ADDR_GEN_MODE, bytes([c.IN6_ADDR_GEN_MODE_NONE]))),
)


def _link(index: int = 0, *, up: bool = False) -> bytes:
    flags = c.IFF_UP if up else 0
    return _LINK.pack(socket.AF_UNSPEC, 0, index, flags, flags)


def new_veth(name: str, *, peer: str, peer_namespace: int, peer_mac: str, master: int, mtu: int) -> Request:
    """Make a veth pair: ``name`` here, up, in bridge ``master``; ``peer`` in the namespace of that descriptor.

    The peer is down: the kernel cannot set it up before it has its other end.
    """
    far = _link() + (
        _text(c.IFLA_IFNAME, peer)
        + _u32(c.IFLA_MTU, mtu)
        + _mac(c.IFLA_ADDRESS, peer_mac)
        + _u32(c.IFLA_NET_NS_FD, peer_namespace)
    )
    body = _link(up=True) + (
        _text(c.IFLA_IFNAME, name)
        + _u32(c.IFLA_MTU, mtu)
        + _u32(c.IFLA_MASTER, master)
        + _nested(
            c.IFLA_LINKINFO,
            _text(c.IFLA_INFO_KIND, "veth"),
            _nested(c.IFLA_INFO_DATA, _attribute(c.VETH_INFO_PEER, far)),
        )
    )
    return Request(c.RTM_NEWLINK, c.NLM_F_CREATE | c.NLM_F_EXCL, body, f"make veth {name}")


def new_bridge(name: str, *, mac: str) -> Request:
    """Make a bridge whose address stays ``mac`` whatever joins it, and whose ports forward at once."""
    body = _link() + (
        _text(c.IFLA_IFNAME, name)
        + _mac(c.IFLA_ADDRESS, mac)
        + _nested(
            c.IFLA_LINKINFO,
            _text(c.IFLA_INFO_KIND, "bridge"),
            _nested(c.IFLA_INFO_DATA, _u32(c.IFLA_BR_FORWARD_DELAY, 0)),
        )
    )
    return Request(c.RTM_NEWLINK, c.NLM_F_CREATE | c.NLM_F_EXCL, body, f"make bridge {name}")


def set_link(name: str, *, alias: str | None = None, hairpin: bool = False, up: bool = False) -> Request:
    """Change a link: give it an alias, let its bridge send frames back where they came from, set it up.

    No link-local IPv6 address will be made on it.
    """
    body = _link(up=up) + _text(c.IFLA_IFNAME, name) + _NO_IPV6_ADDRESS
    if alias is not None:
        body += _attribute(c.IFLA_IFALIAS, alias.encode())
    return Request(c.RTM_NEWLINK, 0, body, f"set up {name}") if not hairpin else _with_hairpin(body, name)


def _with_hairpin(body: bytes, name: str) -> Request:
    port = _nested(
        c.IFLA_LINKINFO,
        _text(c.IFLA_INFO_SLAVE_KIND, "bridge"),
        _nested(c.IFLA_INFO_SLAVE_DATA, _attribute(c.IFLA_BRPORT_MODE, b"\1")),
    )
    return Request(c.RTM_NEWLINK, 0, body + port, f"set up {name}")


def link_up(name: str) -> Request:
    """Set a link up."""
    return Request(c.RTM_NEWLINK, 0, _link(up=True) + _text(c.IFLA_IFNAME, name), f"set {name} up")


def set_mac(name: str, mac: str) -> Request:
    """Give a link its MAC; also the one it has, which makes it announce its address where arp_notify is set."""
    return Request(
        c.RTM_NEWLINK, 0, _link() + _text(c.IFLA_IFNAME, name) + _mac(c.IFLA_ADDRESS, mac), f"set MAC of {name}"
    )


def delete_link(name: str) -> Request:
    """Delete a link. Deleting a veth waits for the kernel's readers (22 ms): delete its namespace where you can."""
    return Request(c.RTM_DELLINK, 0, _link() + _text(c.IFLA_IFNAME, name), f"delete {name}")


def add_address(link: int, address: str, prefix_length: int) -> Request:
    """Give an IPv4 address to a link; one that it has already is no error."""
    interface = ipaddress.IPv4Interface(f"{address}/{prefix_length}")
    body = _ADDRESS.pack(socket.AF_INET, prefix_length, 0, c.RT_SCOPE_UNIVERSE, link) + (
        _ipv4(c.IFA_LOCAL, address)
        + _ipv4(c.IFA_ADDRESS, address)
        + _ipv4(c.IFA_BROADCAST, str(interface.network.broadcast_address))
    )
    return Request(c.RTM_NEWADDR, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"add address {address}/{prefix_length}")


def add_default_route(gateway: str, link: int) -> Request:
    """Send what no other route takes to ``gateway``."""
    body = _ROUTE.pack(
        socket.AF_INET, 0, 0, 0, c.RT_TABLE_MAIN, c.RTPROT_BOOT, c.RT_SCOPE_UNIVERSE, c.RTN_UNICAST, 0
    ) + (_ipv4(c.RTA_GATEWAY, gateway) + _u32(c.RTA_OIF, link))
    return Request(c.RTM_NEWROUTE, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"route by {gateway}")


def set_neighbour(link: int, address: str, mac: str) -> Request:
    """Say that ``address`` is at ``mac``, until the kernel finds otherwise: replaces what an earlier owner left."""
    body = _NEIGHBOUR.pack(socket.AF_INET, link, c.NUD_STALE, 0, 0) + (
        _ipv4(c.NDA_DST, address) + _mac(c.NDA_LLADDR, mac)
    )
    return Request(c.RTM_NEWNEIGH, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"neighbour {address}")


class Rtnetlink:
    """A rtnetlink socket, of the network namespace of the thread that opens it. Not to be shared by threads."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._sequence = 0
        try:
            self._socket.setsockopt(c.SOL_NETLINK, c.NETLINK_EXT_ACK, 1)
            self._socket.setsockopt(c.SOL_NETLINK, c.NETLINK_CAP_ACK, 1)
            self._socket.setsockopt(c.SOL_NETLINK, c.NETLINK_GET_STRICT_CHK, 1)
            self._socket.bind((0, 0))
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._socket.close()

    def execute(self, *requests: Request) -> None:
        """Carry out ``requests`` in order, in one system call. Blocks until all are done.

        The kernel does not stop at the first that fails; what the others did stays.

        Raises:
            OSError: the first failure, with the kernel's own words where it has some and the name of the request.
        """
        first = self._sequence + 1
        self._socket.send(b"".join(self._pack(r, r.flags | c.NLM_F_ACK) for r in requests))
        failure: OSError | None = None
        waiting = len(requests)
        while waiting:
            for kind, sequence, body in _messages(self._socket.recv(_RECEIVE_BYTES)):
                if kind != c.NLMSG_ERROR or not first <= sequence <= self._sequence:
                    continue
                waiting -= 1
                failure = failure or _failure(body, requests[sequence - first].what)
        if failure:
            raise failure

    def links(self) -> list[Link]:
        """Return all links of the namespace."""
        return [_parse_link(body) for body in self._dump(c.RTM_GETLINK, c.RTM_NEWLINK, _link())]

    def link(self, name: str) -> Link | None:
        """Return the link of that name."""
        query = Request(c.RTM_GETLINK, 0, _link() + _text(c.IFLA_IFNAME, name), f"look for {name}")
        self._socket.send(self._pack(query, 0))
        for kind, _, body in _messages(self._socket.recv(_RECEIVE_BYTES)):
            if kind == c.RTM_NEWLINK:
                return _parse_link(body)
            failure = _failure(body, query.what)
            if failure and failure.errno != errno.ENODEV:
                raise failure
        return None

    def routes(self) -> list[Route]:
        """Return the unicast IPv4 routes of the main table, less the default ones."""
        query = _ROUTE.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
        found = [_parse_route(body) for body in self._dump(c.RTM_GETROUTE, c.RTM_NEWROUTE, query)]
        return [route for route in found if route is not None]

    def addresses(self) -> list[Address]:
        """Return the IPv4 addresses of the namespace."""
        query = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        return [_parse_address(body) for body in self._dump(c.RTM_GETADDR, c.RTM_NEWADDR, query)]

    def _pack(self, request: Request, flags: int) -> bytes:
        self._sequence += 1
        length = _HEADER.size + len(request.body)
        header = _HEADER.pack(length, request.kind, flags | c.NLM_F_REQUEST, self._sequence, 0)
        return header + request.body + bytes(-length % 4)

    def _dump(self, ask: int, answer: int, body: bytes) -> list[bytes]:
        self._socket.send(self._pack(Request(ask, 0, body, "dump"), c.NLM_F_DUMP))
        found: list[bytes] = []
        while True:
            for kind, sequence, payload in _messages(self._socket.recv(_RECEIVE_BYTES)):
                if sequence != self._sequence:
                    continue
                if kind == answer:
                    found.append(payload)
                elif failure := _failure(payload, "dump"):
                    raise failure
                else:
                    return found


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        # The extended acknowledgement of an error follows the echoed header: keep the flags with the body.
        yield kind, sequence, struct.pack("=H", flags) + data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def _failure(body: bytes, what: str) -> OSError | None:
    (flags,) = struct.unpack_from("=H", body)
    (code,) = struct.unpack_from("=i", body, 2)
    if code >= 0:
        return None
    words = ""
    if flags & c.NLM_F_ACK_TLVS:
        attributes = _attributes(body[2 + 4 + _HEADER.size :])
        words = attributes.get(c.NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode(errors="replace")
    return OSError(-code, f"{os.strerror(-code)}: {words}" if words else os.strerror(-code), what)


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found[kind & ~c.NLA_F_NESTED] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def _string(attributes: dict[int, bytes], kind: int) -> str:
    return attributes.get(kind, b"").rstrip(b"\0").decode(errors="replace")


def _number(attributes: dict[int, bytes], kind: int) -> int:
    return int.from_bytes(attributes.get(kind, b"")[:4], "little" if _LITTLE else "big")


_LITTLE = struct.pack("=H", 1) == b"\1\0"


def _parse_link(body: bytes) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(body, 2)
    attributes = _attributes(body[2 + _LINK.size :])
    return Link(
        number=index,
        name=_string(attributes, c.IFLA_IFNAME),
        alias=_string(attributes, c.IFLA_IFALIAS),
        kind=_string(_attributes(attributes.get(c.IFLA_LINKINFO, b"")), c.IFLA_INFO_KIND),
        mac=attributes.get(c.IFLA_ADDRESS, b"").hex(":"),
        mtu=_number(attributes, c.IFLA_MTU),
        up=bool(flags & c.IFF_UP),
        carries=attributes.get(c.IFLA_OPERSTATE, b"") == c.IF_OPER_UP,
        master=_number(attributes, c.IFLA_MASTER),
    )


def _parse_route(body: bytes) -> Route | None:
    _, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(body, 2)
    if table != c.RT_TABLE_MAIN or kind != c.RTN_UNICAST or length == 0:
        return None
    attributes = _attributes(body[2 + _ROUTE.size :])
    address = socket.inet_ntoa(attributes.get(c.RTA_DST, bytes(4)))
    return Route(f"{address}/{length}", _number(attributes, c.RTA_OIF))


def _parse_address(body: bytes) -> Address:
    _, prefix_length, _, _, link = _ADDRESS.unpack_from(body, 2)
    attributes = _attributes(body[2 + _ADDRESS.size :])
    local = attributes.get(c.IFA_LOCAL) or attributes.get(c.IFA_ADDRESS, bytes(4))
    return Address(link, socket.inet_ntoa(local), prefix_length)
