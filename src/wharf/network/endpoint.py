"""An endpoint: a container's place in a network, as its row in the database tells it; and the wish for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from wharf.kernel.netns import Origin


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A container's port and where the host answers for it."""

    container_port: int
    protocol: str  # tcp, udp, sctp
    host_ip: str  # "0.0.0.0" or "::" for all addresses of a version
    host_port: int

    @property
    def version(self) -> int:
        """Of IP: 4 or 6."""
        return 6 if ":" in self.host_ip else 4


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a container may receive (down) and send (up), in bits a second; 0 for no limit."""

    down: int = 0
    up: int = 0


UNLIMITED: Final = Rate()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a container asks of its place in one network."""

    network: str  # name, id or id prefix
    ipv4: str = ""
    ipv6: str = ""
    mac: str = ""
    interface: str = ""
    link_local: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # by which the network's other containers find it
    links: tuple[tuple[str, str], ...] = ()  # container's id or name, the name by which this container alone finds it
    gateway_priority: int = 0
    sysctls: tuple[tuple[str, str], ...] = ()
    rate: Rate = UNLIMITED
    servers: tuple[str, ...] = ()  # name servers for what is no container's name; none for the host's
    origin: Origin | None = None  # makes its network namespace, one of a user namespace's; None: of the engine's own


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's place in a network. What its driver does not give is '' (addresses, links)."""

    id: str
    container_id: str
    network_id: str
    network_name: str
    sandbox: str  # path of its network namespace; "" for the host's
    ipv4: str
    prefix_length: int
    gateway: str  # '' where the network leads nowhere
    mac: str
    ports: tuple[PublishedPort, ...]
    host_link: str
    driver: str = "bridge"
    ipv6: str = ""
    prefix_length6: int = 0
    gateway6: str = ""
    interface: str = "eth0"
    link_local: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    gateway_priority: int = 0
    sysctls: tuple[tuple[str, str], ...] = ()
    rate: Rate = UNLIMITED
    servers: tuple[str, ...] = ()
    origin: Origin | None = None  # as of a wish; known while the namespace is made
    announced: bool = False  # neighbours are told its MAC, for they may know another one
    source_link: str = ""  # what a network plugin calls its interface on the host
    notice: str = ""  # what the user should hear once, such as that docker0 belongs to somebody else

    @property
    def addressed(self) -> bool:
        """Whether it has an address."""
        return bool(self.ipv4 or self.ipv6)


def gateway_endpoint(endpoints: list[Endpoint], version: int) -> Endpoint | None:
    """Return the endpoint that a container's default route leads through: highest priority, then by name. Pure."""
    leading = [e for e in endpoints if (e.gateway if version == 4 else e.gateway6)]
    return min(leading, key=lambda e: (-e.gateway_priority, e.network_name), default=None)


def with_ports(endpoints: Sequence[Endpoint], ports: Sequence[PublishedPort]) -> list[Endpoint]:
    """Return ``endpoints`` with each port where the default route of its version of IP leads. Pure."""
    leading = {version: gateway_endpoint(list(endpoints), version) for version in (4, 6)}
    found = []
    for endpoint in endpoints:
        own = tuple(port for port in ports if leading[port.version] is endpoint)
        found.append(replace(endpoint, ports=own))
    return found


def publishing(endpoints: Sequence[Endpoint], ports: Sequence[PublishedPort], by: str) -> list[Endpoint]:
    """Return ``endpoints`` with all ports at the one of id ``by``. Pure."""
    return [replace(endpoint, ports=tuple(ports) if endpoint.id == by else ()) for endpoint in endpoints]
