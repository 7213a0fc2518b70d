"""An endpoint: a container's place in a network, as its row in the database tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A container's port and where the host answers for it."""

    container_port: int
    protocol: str  # tcp, udp
    host_ip: str  # "0.0.0.0" for all addresses
    host_port: int


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
    gateway: str
    mac: str
    ports: tuple[PublishedPort, ...]
    host_link: str
    notice: str = ""  # what the user should hear once, such as that docker0 belongs to somebody else
