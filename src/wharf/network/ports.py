"""Published ports of the host: chosen, and held by a bound socket: others get EADDRINUSE, and we notice them.

Where ports are let in because something listens (:mod:`wharf.network.outside`), a container's sockets should live as
long as it does: :meth:`HostPorts.listening` gives them to be kept by somebody who does, by names that whoever comes
after us tells :meth:`HostPorts.hold` again.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from wharf.errors import Conflict, InvalidArgument, NotImplementedHere, Unavailable
from wharf.lib.ports import PortMapping
from wharf.network.endpoint import PublishedPort
from wharf.network.outside import Here, Outside
from wharf.network.rules import ANY, ANY6

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FALLBACK = (32768, 60999)
_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "sctp": socket.SOCK_STREAM}
_NO_SCTP = (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)

Place = tuple[str, str, int]  # protocol, host address, port


@dataclass(frozen=True, slots=True)
class Reach:
    """How the host can lead to a container: what its default route's network can do."""

    versions: tuple[int, ...]  # of IP
    routed: tuple[int, ...] = ()  # of these no address is translated: ports are opened, and the host holds none
    default_ip: str = ""  # where ports are published that name no address; '' for everywhere
    plugin: str = ""  # the endpoint whose plugins publish them; '' for the engine itself
    unheld: bool = False  # a network plugin sees to the host's ports itself: none is chosen or held for it


def places(mapping: PortMapping, reach: Reach) -> list[str]:
    """Return the host's addresses on which a port is to be published; none when nothing leads to the container. Pure.

    Raises:
        NotImplementedHere: an address of a version of IP that the container does not have.
    """
    host_ip = mapping.host_ip or reach.default_ip
    if not host_ip or not reach.versions:
        return [ANY6 if version == 6 else ANY for version in reach.versions]
    version = 6 if ":" in host_ip else 4
    if version not in reach.versions:
        raise NotImplementedHere(
            f"publishing on {host_ip}: the container has no IPv{version} address, and none is translated"
        )
    return [host_ip]


class HostPorts:
    """The ports that one engine holds. Used by one thread; our copies of the sockets go with the process."""

    def __init__(self, outside: Outside | None = None) -> None:
        """``outside`` is what lets the ports in, and may refuse some."""
        self._outside = outside or Here()
        self._held: dict[Place, socket.socket | None] = {}
        self._addresses: dict[tuple[str, int, bool], set[str]] = {}  # by protocol, port and whether IPv6
        self._last: dict[str, int] = {}

    def reserve(self, mappings: Iterable[PortMapping], reach: Reach) -> tuple[PublishedPort, ...]:
        """Choose and hold a host port for each mapping: all or none. Undone by :meth:`release`.

        A mapping for all addresses has the same port in each version of IP.

        Raises:
            Conflict: a port is taken, by us ("port is already allocated") or by another ("address already in use");
            Unavailable: none of a range is free.
            InvalidArgument: the host has no such address.
        """
        with ExitStack() as undo:
            taken: list[PublishedPort] = []
            for mapping in mappings:
                ports = self._reserve_one(mapping, reach)
                taken += ports
                undo.callback(self.release, ports)
            undo.pop_all()
        return tuple(taken)

    def hold(self, port: PublishedPort, kept: Collection[str] = ()) -> None:
        """Hold a port that is published already (by an earlier process with the same data root).

        One whose name is in ``kept`` has a socket that somebody keeps: it is not bound again.
        """
        if port.host_port:
            self._bind(_place(port), kept=_name(port) in kept)

    def listening(self, ports: Iterable[PublishedPort]) -> dict[str, socket.socket | None]:
        """Return the sockets that let ports in, by their names; None for one that is kept, not ours.

        Empty where ports are not let in for being listened on. The sockets stay ours.
        """
        wanted = [port for port in ports if self._outside.listens and _place(port) in self._held]
        return {_name(port): self._held[_place(port)] for port in wanted}

    def release(self, ports: Iterable[PublishedPort]) -> None:
        """Let ports go; idempotent."""
        for port in ports:
            place = _place(port)
            if place not in self._held:
                continue
            if held := self._held.pop(place):
                held.close()
            self._addresses[port.protocol, port.host_port, port.version == 6].discard(port.host_ip)

    def close(self) -> None:
        """Let all ports go."""
        self._addresses.clear()
        while self._held:
            if held := self._held.popitem()[1]:
                held.close()

    def _reserve_one(self, mapping: PortMapping, reach: Reach) -> list[PublishedPort]:
        wanted = [PublishedPort(mapping.container_port, mapping.protocol, ip, 0) for ip in places(mapping, reach)]
        if reach.unheld:
            return [replace(port, host_port=mapping.host_port) for port in wanted]
        routed = [port for port in wanted if port.version in reach.routed]
        held = [port for port in wanted if port not in routed]
        if not held:
            return routed
        if mapping.host_port and not mapping.host_port_last:
            return routed + self._hold_all(held, mapping.host_port)
        for candidate in self._candidates(mapping):
            try:
                return routed + self._hold_all(held, candidate)
            except Conflict:
                continue
        raise Unavailable("all ports are allocated")

    def _hold_all(self, ports: list[PublishedPort], number: int) -> list[PublishedPort]:
        with ExitStack() as undo:
            chosen = [replace(port, host_port=number) for port in ports]
            for port in chosen:
                self._outside.refuse(port)
                self.hold(port)
                undo.callback(self.release, (port,))
            undo.pop_all()
        return chosen

    def _candidates(self, mapping: PortMapping) -> Iterator[int]:
        if mapping.host_port:
            yield from range(mapping.host_port, mapping.host_port_last + 1)
            return
        first, last = _ephemeral_range()
        begin = self._last.get(mapping.protocol, first - 1) + 1
        for candidate in (*range(begin, last + 1), *range(first, min(begin, last + 1))):
            self._last[mapping.protocol] = candidate
            yield candidate

    def _bind(self, place: Place, *, kept: bool) -> None:
        protocol, address, port = place
        shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        others = self._addresses.setdefault((protocol, port, ":" in address), set())
        if address in others or (others and bool({ANY, ANY6} & {address, *others})):
            raise Conflict(f"Bind for {shown} failed: port is already allocated")
        try:
            self._held[place] = None if kept else _hold(protocol, address, port, listens=self._outside.listens)
            others.add(address)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            message = f"failed to bind host port {shown}/{protocol}: {reason}"
            raise (Conflict if error.errno == errno.EADDRINUSE else InvalidArgument)(message) from error


def _place(port: PublishedPort) -> Place:
    return port.protocol, port.host_ip, port.host_port


def _name(port: PublishedPort) -> str:
    return f"{port.host_ip} {port.host_port}/{port.protocol}"


def _hold(protocol: str, address: str, port: int, *, listens: bool) -> socket.socket | None:
    """Return a socket that keeps others off; None where the kernel has no such sockets, and so no others."""
    kind, family = _KINDS[protocol], socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        held = socket.socket(family, kind, socket.IPPROTO_SCTP if protocol == "sctp" else 0)
    except OSError as error:
        if protocol == "sctp" and error.errno in _NO_SCTP:
            return None
        raise
    try:
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _occupy(held, kind, (address, port), listens=listens)
    except BaseException:
        held.close()
        raise
    return held


def _occupy(held: socket.socket, kind: int, place: tuple[str, int], *, listens: bool) -> None:
    if kind == socket.SOCK_DGRAM:
        held.bind(place)
        return
    # Three wishes at once: an earlier server's connections in TIME_WAIT do not hinder (REUSEADDR while binding);
    # nobody else gets the port, not even with REUSEADDR (taken off again once bound, and listen tells of others);
    # and a client that comes before the firewall's rule is refused at once, not left in a backlog (shutdown).
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(place)
    held.listen(1)
    if not listens:
        held.shutdown(socket.SHUT_RDWR)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


def _ephemeral_range() -> tuple[int, int]:
    try:
        first, last = _RANGE.read_text().split()
    except OSError:
        return _FALLBACK
    return int(first), int(last)
