"""A small batched rtnetlink: any number of requests in as few system calls as the kernel allows.

Requests (:mod:`wharf.kernel.rtnetlink`) are values; :meth:`Rtnetlink.execute` sends them in one ``send``. The kernel
works through such a batch inside that call, so a process that is killed has either sent all of it or nothing.

Why not a library: see docs/decisions/netlink.md. (rtnetlink(7), netlink(7), linux/rtnetlink.h.)
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

from wharf.kernel import netlink_constants as c
from wharf.kernel.netlink_wire import Request, attributes, failure, messages, number, pack, string, text
from wharf.kernel.rtnetlink import ADDRESS, LINK, ROUTE, link_header

_RECEIVE_BYTES = 1 << 16
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)


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
    """A unicast route, IPv4 or IPv6."""

    destination: str  # in CIDR form
    link: int  # 0 for one without an interface


class Address(NamedTuple):
    """An address of an interface, IPv4 or IPv6."""

    link: int
    address: str
    prefix_length: int


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
        if not requests:
            return
        first = self._sequence + 1
        self._socket.send(b"".join(self._pack(r, r.flags | c.NLM_F_ACK) for r in requests))
        failed: OSError | None = None
        waiting = len(requests)
        while waiting:
            for kind, sequence, body in messages(self._socket.recv(_RECEIVE_BYTES)):
                if kind != c.NLMSG_ERROR or not first <= sequence <= self._sequence:
                    continue
                waiting -= 1
                failed = failed or failure(body, requests[sequence - first].what)
        if failed:
            raise failed

    def links(self) -> list[Link]:
        """Return all links of the namespace."""
        return [_parse_link(body) for body in self._dump(c.RTM_GETLINK, c.RTM_NEWLINK, link_header())]

    def link(self, name: str) -> Link | None:
        """Return the link of that name."""
        query = Request(c.RTM_GETLINK, 0, link_header() + text(c.IFLA_IFNAME, name), f"look for {name}")
        self._socket.send(self._pack(query, 0))
        for kind, _, body in messages(self._socket.recv(_RECEIVE_BYTES)):
            if kind == c.RTM_NEWLINK:
                return _parse_link(body)
            failed = failure(body, query.what)
            if failed and failed.errno != errno.ENODEV:
                raise failed
        return None

    def routes(self) -> list[Route]:
        """Return the unicast routes of the main table, less the default ones."""
        found = []
        for version in _FAMILIES:
            query = ROUTE.pack(version, 0, 0, 0, 0, 0, 0, 0, 0)
            found += [_parse_route(body) for body in self._dump_of(c.RTM_GETROUTE, c.RTM_NEWROUTE, query)]
        return [route for route in found if route is not None]

    def addresses(self) -> list[Address]:
        """Return the addresses of the namespace."""
        found = []
        for version in _FAMILIES:
            query = ADDRESS.pack(version, 0, 0, 0, 0)
            found += [_parse_address(body) for body in self._dump_of(c.RTM_GETADDR, c.RTM_NEWADDR, query)]
        return found

    def _pack(self, request: Request, flags: int) -> bytes:
        self._sequence += 1
        return pack(request, flags, self._sequence)

    def _dump_of(self, ask: int, answer: int, body: bytes) -> Iterable[bytes]:
        try:
            return self._dump(ask, answer, body)
        except OSError as error:
            if error.errno in _NO_SUCH_FAMILY:  # a kernel without IPv6
                return ()
            raise

    def _dump(self, ask: int, answer: int, body: bytes) -> list[bytes]:
        self._socket.send(self._pack(Request(ask, 0, body, "dump"), c.NLM_F_DUMP))
        found: list[bytes] = []
        while True:
            for kind, sequence, payload in messages(self._socket.recv(_RECEIVE_BYTES)):
                if sequence != self._sequence:
                    continue
                if kind == answer:
                    found.append(payload)
                elif failed := failure(payload, "dump"):
                    raise failed
                else:
                    return found


def _parse_link(body: bytes) -> Link:
    _, _, index, flags, _ = LINK.unpack_from(body, 2)
    found = attributes(body[2 + LINK.size :])
    return Link(
        number=index,
        name=string(found, c.IFLA_IFNAME),
        alias=string(found, c.IFLA_IFALIAS),
        kind=string(attributes(found.get(c.IFLA_LINKINFO, b"")), c.IFLA_INFO_KIND),
        mac=found.get(c.IFLA_ADDRESS, b"").hex(":"),
        mtu=number(found, c.IFLA_MTU),
        up=bool(flags & c.IFF_UP),
        carries=found.get(c.IFLA_OPERSTATE, b"") == c.IF_OPER_UP,
        master=number(found, c.IFLA_MASTER),
    )


def _parse_route(body: bytes) -> Route | None:
    version, length, _, _, table, _, _, kind, _ = ROUTE.unpack_from(body, 2)
    if table != c.RT_TABLE_MAIN or kind != c.RTN_UNICAST or length == 0:
        return None
    found = attributes(body[2 + ROUTE.size :])
    address = socket.inet_ntop(version, found.get(c.RTA_DST) or bytes(4 if version == socket.AF_INET else 16))
    return Route(f"{address}/{length}", number(found, c.RTA_OIF))


def _parse_address(body: bytes) -> Address:
    version, prefix_length, _, _, link = ADDRESS.unpack_from(body, 2)
    found = attributes(body[2 + ADDRESS.size :])
    local = found.get(c.IFA_LOCAL) or found.get(c.IFA_ADDRESS) or struct.pack("=I", 0)
    return Address(link, socket.inet_ntop(version, local), prefix_length)
