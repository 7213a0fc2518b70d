"""Published ports of the host: chosen, and held by a bound socket: others get EADDRINUSE, and we notice them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, Unavailable
from wharf.lib.ports import PortMapping
from wharf.network.endpoint import PublishedPort
from wharf.network.rules import ANY

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FALLBACK = (32768, 60999)
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}

Place = tuple[str, str, int]  # protocol, host address, port


def require_supported(mappings: Iterable[PortMapping]) -> None:
    """Refuse by name what cannot be published.

    Raises:
        NotImplementedHere: sctp, or an IPv6 address of the host.
    """
    for mapping in mappings:
        if mapping.protocol not in _KINDS:
            raise NotImplementedHere(
                f"publishing {mapping.protocol} ports is not supported: {mapping.container_port}"
            )
        if ":" in mapping.host_ip:
            raise NotImplementedHere(f"publishing on an IPv6 address is not supported: {mapping.host_ip}")


class HostPorts:
    """The ports that one engine holds. Used by one thread; the sockets go with the process."""

    def __init__(self) -> None:
        self._held: dict[Place, socket.socket] = {}
        self._last: dict[str, int] = {}

    def reserve(self, mappings: Iterable[PortMapping]) -> tuple[PublishedPort, ...]:
        """Choose and hold a host port for each mapping: all or none. Undone by :meth:`release`.

        Raises:
            Conflict: a port is taken, by us ("port is already allocated") or by another ("address already in use");
            Unavailable: none of a range is free.
            InvalidArgument: the host has no such address.
        """
        with ExitStack() as undo:
            taken: list[PublishedPort] = []
            for mapping in mappings:
                port = self._reserve_one(mapping)
                taken.append(port)
                undo.callback(self.release, (port,))
            undo.pop_all()
        return tuple(taken)

    def hold(self, port: PublishedPort) -> None:
        """Hold a port that is published already (by an earlier process with the same data root)."""
        self._bind((port.protocol, port.host_ip, port.host_port))

    def release(self, ports: Iterable[PublishedPort]) -> None:
        """Let ports go; idempotent."""
        for port in ports:
            held = self._held.pop((port.protocol, port.host_ip, port.host_port), None)
            if held:
                held.close()

    def close(self) -> None:
        """Let all ports go."""
        while self._held:
            self._held.popitem()[1].close()

    def _reserve_one(self, mapping: PortMapping) -> PublishedPort:
        address = mapping.host_ip or ANY
        if mapping.host_port and not mapping.host_port_last:
            self._bind((mapping.protocol, address, mapping.host_port))
            return PublishedPort(mapping.container_port, mapping.protocol, address, mapping.host_port)
        for candidate in self._candidates(mapping):
            try:
                self._bind((mapping.protocol, address, candidate))
            except Conflict:
                continue
            return PublishedPort(mapping.container_port, mapping.protocol, address, candidate)
        raise Unavailable("all ports are allocated")

    def _candidates(self, mapping: PortMapping) -> Iterator[int]:
        if mapping.host_port:
            yield from range(mapping.host_port, mapping.host_port_last + 1)
            return
        first, last = _ephemeral_range()
        begin = self._last.get(mapping.protocol, first - 1) + 1
        for candidate in (*range(begin, last + 1), *range(first, min(begin, last + 1))):
            self._last[mapping.protocol] = candidate
            yield candidate

    def _bind(self, place: Place) -> None:
        protocol, address, port = place
        if any(_clash(place, other) for other in self._held):
            raise Conflict(f"Bind for {address}:{port} failed: port is already allocated")
        try:
            self._held[place] = _hold(_KINDS[protocol], address, port)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            message = f"failed to bind host port {address}:{port}/{protocol}: {reason}"
            raise (Conflict if error.errno == errno.EADDRINUSE else InvalidArgument)(message) from error


def _clash(one: Place, other: Place) -> bool:
    same = one[0] == other[0] and one[2] == other[2]
    return same and (one[1] == other[1] or ANY in (one[1], other[1]))


def _hold(kind: int, address: str, port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_DGRAM:
            held.bind((address, port))
            return held
        # Three wishes at once: an earlier server's connections in TIME_WAIT do not hinder (REUSEADDR while binding);
        # nobody else gets the port, not even with REUSEADDR (taken off again once bound, and listen tells of others);
        # and a client that comes before the firewall's rule is refused at once, not left in a backlog (shutdown).
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((address, port))
        held.listen(1)
        held.shutdown(socket.SHUT_RDWR)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except BaseException:
        held.close()
        raise
    return held


def _ephemeral_range() -> tuple[int, int]:
    try:
        first, last = _RANGE.read_text().split()
    except OSError:
        return _FALLBACK
    return int(first), int(last)
