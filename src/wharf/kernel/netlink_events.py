"""What others change in the kernel's networks, told as it happens: firewall tables and links.

Multicast groups of netlink (netlink(7); linux/netfilter/nfnetlink.h, nf_tables.h; linux/rtnetlink.h). Each source has
a descriptor to wait for, and ``read`` returns what has happened without waiting. A reader that is too slow loses
messages, and is told so.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from wharf.kernel import netlink_constants as c
from wharf.kernel.netlink_wire import HEADER, attributes, string
from wharf.kernel.rtnetlink import LINK

_NETFILTER = 12
_NFTABLES_GROUP, _LINK_GROUP = 7, 1
_SUBSYSTEM = 10  # NFNL_SUBSYS_NFTABLES
# Deleted: table, chain, rule, set, element; and a chain that is new. A table's name is the first attribute of each.
_DELETED = frozenset(_SUBSYSTEM << 8 | message for message in (2, 5, 8, 11, 14))
_NEW_CHAIN = _SUBSYSTEM << 8 | 3
_GENERATION = _SUBSYSTEM << 8 | 15  # the last message of each transaction
_TABLE_NAME, _PROCESS_ID, _PROCESS_NAME = 1, 2, 3
_RECEIVE_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_INODE = re.compile(r"socket:\[(\d+)\]")


class Lost(Exception):  # what the reader is told: it is no fault of anybody's
    """More happened than the socket could hold: look for yourself."""


class Torn(NamedTuple):
    """Something of a firewall table was deleted, or a chain added to it."""

    table: str
    port: int  # of the netlink socket that did it
    by: str  # the program and its process id; '' when it is not known


class FirewallEvents:
    """Deletions and new chains in nftables, of this thread's network namespace."""

    def __init__(self) -> None:
        self._socket = _listening(_NETFILTER, _NFTABLES_GROUP)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._socket.fileno()

    def read(self) -> list[Torn]:
        """Return the changes that were not told yet.

        Raises:
            Lost: some are missing.
        """
        torn: list[tuple[str, int]] = []
        by = {}
        for kind, port, body in _received(self._socket):
            if kind in _DELETED or kind == _NEW_CHAIN:
                torn.append((string(attributes(body[4:]), _TABLE_NAME), port))
            elif kind == _GENERATION:
                found = attributes(body[4:])
                by[port] = f"{string(found, _PROCESS_NAME)} ({int.from_bytes(found.get(_PROCESS_ID, b''))})"
        return [Torn(table, port, by.get(port, "")) for table, port in dict.fromkeys(torn)]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class LinkEvents:
    """Deleted links of this thread's network namespace."""

    def __init__(self) -> None:
        self._socket = _listening(socket.NETLINK_ROUTE, _LINK_GROUP)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""
        return self._socket.fileno()

    def read(self) -> list[int]:
        """Return the indices of the links that have gone.

        Raises:
            Lost: some are missing.
        """
        found = []
        for kind, _, body in _received(self._socket):
            # A bridge that a link leaves says so by the same message, of its own family.
            if kind == c.RTM_DELLINK and body[0] == socket.AF_UNSPEC:
                found.append(LINK.unpack_from(body)[2])
        return found

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def own_firewall_ports() -> set[int]:
    """Return the ports of the netfilter sockets of this process: whose deletions are its own."""
    own = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # closed meanwhile
            if found := _INODE.fullmatch(os.readlink(f"/proc/self/fd/{name}")):
                own.add(found[1])
    with open("/proc/thread-self/net/netlink", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return {int(row[2]) for row in rows if row[1] == str(_NETFILTER) and row[-1] in own}


def _listening(protocol: int, group: int) -> socket.socket:
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        made.bind((0, 0))
        made.setsockopt(c.SOL_NETLINK, c.NETLINK_ADD_MEMBERSHIP, group)
    except BaseException:
        made.close()
        raise
    return made


def _received(sock: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    """Yield kind, port and body of each message that waits."""
    while True:
        try:
            data = sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise Lost from error
            raise
        offset = 0
        while offset + HEADER.size <= len(data):
            length, kind, _, _, port = HEADER.unpack_from(data, offset)
            yield kind, port, data[offset + HEADER.size : offset + length]
            offset += (length + 3) & ~3
