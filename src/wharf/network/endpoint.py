"""An endpoint: a container's place in a network, as its row in the database tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A container's port and where the host answers for it."""

    container_port: int
    protocol: str  # tcp, udp
    host_ip: str  # "0.0.0.0" for all addresses
    host_port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A container's place in a network. ``ipv4``, ``gateway``, ``mac``, ``host_link`` are '' where the driver has none."""

    id: str
    container_id: str
    network_id: str
    network_name: str
    sandbox: Path | None  # its network namespace; None for the host's
    ipv4: str
    prefix_length: int
    gateway: str
    mac: str
    ports: tuple[PublishedPort, ...]
    host_link: str
    notice: str = ""  # what the user should hear once, such as that docker0 belongs to somebody else
