"""Containers, the host and a neighbour on a wire, as far as networks know them: namespaces and sockets in them."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from wharf.kernel import netns
from wharf.kernel.netlink import Rtnetlink
from wharf.lib.ports import parse_publish
from wharf.network.defaults import NetworkDefaults
from wharf.network.driver import Others
from wharf.network.endpoint import Endpoint, Wish
from wharf.network.networks import Networks
from wharf.network.records import Network
from wharf.network.sandbox import container_of
from wharf.spec.engine_api.network import NetworkCreateRequest
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database

WIRE_HERE, WIRE_THERE = "198.51.100.1", "198.51.100.2"
WIRE_HERE6, WIRE_THERE6 = "2001:db8:5::1", "2001:db8:5::2"
A, B = "a" * 64, "b" * 64

T = TypeVar("T")


class World:
    """An engine's networks on a root of their own."""

    def __init__(self, root: Path, others: Others | None = None, defaults: NetworkDefaults | None = None) -> None:
        self._others, self.defaults = others, defaults
        self.data, self.run_root = DataRoot(root / "data"), RunRoot(root / "run")
        for folder in (self.data.path, self.run_root.netns):
            folder.mkdir(parents=True)
        self.database = Database(self.data.database)
        self.networks = self._made()

    def _made(self) -> Networks:
        return Networks(self.data, self.run_root, self.database, others=self._others, defaults=self.defaults)

    def start(self, *live: str) -> dict[str, list[Endpoint]]:
        return asyncio.run(self.networks.start(set(live)))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something that has sandboxes made ahead, a little later: not when its loop has come to its end."""

        async def alone() -> T:
            try:
                return await work
            finally:
                await self.networks._ahead.aclose()

        return asyncio.run(alone())

    def attach(
        self, container_id: str, *publish: str, network: str = "bridge", name: str = "", **more: Any
    ) -> Endpoint:
        return self.attach_all(container_id, *publish, wishes=[Wish(network, **more)], name=name)[0]

    def attach_all(self, container_id: str, *publish: str, wishes: list[Wish], name: str = "") -> list[Endpoint]:
        ports = [mapping for spec in publish for mapping in parse_publish(spec)]
        return self._run(self.networks.attach(container_id, wishes, ports=ports, name=name))

    def connect(self, container_id: str, network: str, *publish: str, **more: Any) -> list[Endpoint]:
        ports = [mapping for spec in publish for mapping in parse_publish(spec)]
        return self._run(self.networks.connect(container_id, os.getpid(), Wish(network, **more), ports=ports))

    def disconnect(self, container_id: str, network: str) -> list[Endpoint]:
        return asyncio.run(self.networks.disconnect(container_id, self.networks.resolve(network).id))

    def remove(self, name: str) -> None:
        asyncio.run(self.networks.remove(name))

    def create(self, name: str, *subnets: str, **more: Any) -> Network:
        document: NetworkCreateRequest = {"Name": name, "IPAM": {"Config": [{"Subnet": s} for s in subnets]}, **more}  # type: ignore[typeddict-item]
        return asyncio.run(self.networks.create(document))[0]

    def release(self, *container_ids: str) -> None:
        for container_id in container_ids:
            asyncio.run(self.networks.release(container_id))

    def reborn(self) -> None:
        """A new engine process after a kill -9: sockets and memory are lost, nothing was closed in order."""
        self.networks.ports.close()
        self.networks._fabric.close()
        self.networks = self._made()

    def close(self) -> None:
        asyncio.run(self.networks.aclose())
        self.database.close()

    def leftovers(self) -> dict[str, object]:
        with Rtnetlink() as host:
            veths = [link.name for link in host.links() if container_of(self.data.key, link) is not None]
        rows = self.database.query("SELECT container_id FROM endpoints")
        names = [path.name for path in self.run_root.netns.iterdir()]
        held = list(self.networks.ports._held)
        elements = [line.strip() for line in ruleset().splitlines() if re.search(r"\b(tcp|udp|sctp) \. \d", line)]
        return {"veths": veths, "rows": rows, "namespaces": names, "held": held, "elements": elements}


NOTHING: dict[str, object] = {"veths": [], "rows": [], "namespaces": [], "held": [], "elements": []}


def ruleset() -> str:
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def open_in(place: str, kind: int, address: str = "", protocol: int = 0) -> socket.socket:
    """A socket of the namespace ``place`` ('' for the host's), of the version of IP of ``address``."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def work() -> socket.socket:
        return socket.socket(family, kind, protocol)

    made = netns.within(place, work) if place else work()
    made.settimeout(30)
    return made


def tcp_server(place: str, port: int, address: str = "0.0.0.0") -> socket.socket:
    server = open_in(place, socket.SOCK_STREAM, address)
    try:
        server.bind((address, port))
        server.listen()
    except BaseException:
        server.close()
        raise
    return server


def talk(server: socket.socket, place: str, to: tuple[str, int], *, timeout_s: float = 30.0) -> str:
    """Connect from ``place``, send a word through, and return the address that the server saw."""
    with open_in(place, socket.SOCK_STREAM, to[0]) as client:
        client.settimeout(timeout_s)
        client.connect(to)
        accepted, address = server.accept()
        with accepted:
            client.sendall(b"ahoy")
            assert accepted.recv(4) == b"ahoy"
            accepted.sendall(b"aye")
            assert client.recv(3) == b"aye"
    return str(address[0])


def reach_at_once(server: socket.socket, place: str, to: tuple[str, int]) -> None:
    """Connect from ``place``; the very first packet must arrive: a lost one is sent again after a second."""
    with open_in(place, socket.SOCK_STREAM, to[0]) as client:
        client.connect(to)
        server.accept()[0].close()
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        assert struct.unpack_from("=I", info, 100) == (0,)  # tcpi_total_retrans (linux/tcp.h)


def exchange(server: socket.socket, place: str, to: tuple[str, int]) -> str:
    """The same with datagrams; the answer must come from where the question went."""
    with open_in(place, socket.SOCK_DGRAM, to[0]) as client:
        client.sendto(b"ahoy", to)
        word, address = server.recvfrom(16)
        assert word == b"ahoy"
        server.sendto(b"aye", address)
        answer, answered_by = client.recvfrom(16)
        assert (answer, *answered_by[:2]) == (b"aye", *to)
    return str(address[0])
