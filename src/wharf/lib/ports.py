"""Published ports as Docker spells them: ``8080:80/tcp``, ``127.0.0.1:8000-8010:80-90/udp``, PortBindings.

Refusals (InvalidArgument) are in the Docker CLI's own words.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from wharf.errors import InvalidArgument

PROTOCOLS = ("tcp", "udp", "sctp")


class PortMapping(NamedTuple):
    """A container's port that is to be published on the host."""

    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""  # "" for all addresses
    host_port: int = 0  # 0: any free port
    host_port_last: int = 0  # the end of a range to choose from; 0 when there is no range


def parse_port(text: str) -> tuple[int, str]:
    """Return port and protocol of ``80``, ``80/tcp`` or ``53/UDP``: a key of ExposedPorts or PortBindings."""
    number, _, protocol = text.partition("/")
    if not number:
        raise InvalidArgument(f"no port specified: {text}<empty>")
    return _number(number, "containerPort", text), _protocol(protocol)


def parse_exposed(text: str) -> list[tuple[int, str]]:
    """Return the ports of ``--expose``: a port or a range with an optional protocol."""
    numbers, _, protocol = text.partition("/")
    first, last = _range(numbers, f"invalid range format for --expose: {text}")
    return [(port, _protocol(protocol)) for port in range(first, last + 1)]


def parse_publish(text: str) -> list[PortMapping]:
    """Return the mappings of ``--publish``: ``[[host ip:]host port[-last]:]container port[-last][/protocol]``.

    A host range with a single container port is a range to choose from; otherwise both must be of one length.
    """
    host_ip, host, container = _split(text)
    container, _, protocol = container.partition("/")
    if not container:
        raise InvalidArgument(f"no port specified: {text}<empty>")
    proto = _protocol(protocol)
    first, last = _range(container, f"invalid containerPort: {container}")
    address = _address(host_ip)
    if not host:
        return [PortMapping(port, proto, address) for port in range(first, last + 1)]
    host_first, host_last = _range(host, f"invalid hostPort: {host}")
    if first == last and host_first != host_last:
        return [PortMapping(first, proto, address, host_first, host_last)]
    if last - first != host_last - host_first:
        raise InvalidArgument(f"invalid ranges specified for container and host Ports: {container} and {host}")
    return [PortMapping(first + i, proto, address, host_first + i) for i in range(last - first + 1)]


def from_bindings(bindings: Mapping[str, Iterable[Mapping[str, str | None]] | None]) -> list[PortMapping]:
    """Return the mappings that PortBindings asks for; an entry without bindings asks for any free port."""
    found: list[PortMapping] = []
    for key, wanted in bindings.items():
        port, protocol = _bound(key)
        for binding in wanted or [{}]:
            host = binding.get("HostPort") or ""
            first, last = _range(host, f'invalid port specification: "{host}"') if host else (0, 0)
            address = _address(binding.get("HostIp") or "")
            found.append(PortMapping(port, protocol, address, first, last if last != first else 0))
    return found


def _bound(key: str) -> tuple[int, str]:
    number = key.partition("/")[0]
    if number and not (number.isascii() and number.isdecimal()):
        raise InvalidArgument(f'invalid port specification: "{number}"')
    return parse_port(key)


def to_bindings(mappings: Iterable[PortMapping]) -> dict[str, list[dict[str, str]]]:
    """Return ``mappings`` as PortBindings."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for mapping in mappings:
        host = f"{mapping.host_port or ''}" + (f"-{mapping.host_port_last}" if mapping.host_port_last else "")
        binding = {"HostIp": mapping.host_ip, "HostPort": host}
        bindings.setdefault(f"{mapping.container_port}/{mapping.protocol}", []).append(binding)
    return bindings


def _split(text: str) -> tuple[str, str, str]:
    if text.startswith("["):
        host_ip, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":"):
            raise InvalidArgument(f"invalid IP address: {text}")
        host, _, container = rest[1:].rpartition(":")
        return host_ip, host, container
    front, _, container = text.rpartition(":")
    host_ip, _, host = front.rpartition(":")
    return host_ip, host, container


def _address(text: str) -> str:
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidArgument(f"invalid IP address: {text}") from None


def _protocol(text: str) -> str:
    protocol = text.lower() or "tcp"
    if protocol not in PROTOCOLS:
        raise InvalidArgument(f"invalid proto: {text}")
    return protocol


def _number(text: str, what: str, whole: str) -> int:
    # isdecimal alone accepts other scripts' digits.
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= 65535:
        raise InvalidArgument(f"invalid {what}: {whole}")
    return int(text)


def _range(text: str, complaint: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    parts = (first, last) if dash else (first, first)
    if not all(p.isascii() and p.isdecimal() and int(p) <= 65535 for p in parts):
        raise InvalidArgument(complaint)
    low, high = int(parts[0]), int(parts[1])
    if high < low or (high != low and low == 0):
        raise InvalidArgument(complaint)
    return low, high


def port_mappings(
    bindings: Mapping[str, Iterable[Mapping[str, str | None]] | None], exposed: Iterable[str] = ()
) -> list[PortMapping]:
    """Return what PortBindings asks for, and any free port for each of ``exposed`` that it does not mention (-P)."""
    mappings = from_bindings(bindings)
    bound = {(mapping.container_port, mapping.protocol) for mapping in mappings}
    more = [PortMapping(*port) for port in map(parse_port, exposed) if port not in bound]
    return mappings + more
