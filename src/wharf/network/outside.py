"""How ports of a rootless engine's network namespace are reached from outside of it.

The engine publishes ports in its own namespace as ever; what carries its packets (``wharf.rootless.uplink``) has to
let them in. pasta looks once a second for sockets that listen inside and listens for them outside, on all addresses:
whom the rules of the firewall let in is decided inside, where pasta has copied the host's addresses. slirp4netns is
told each port, and gives what comes in its own one address.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from wharf.errors import Conflict, Forbidden, NotImplementedHere, Unavailable
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.network.rules import ANY, ANY6
from wharf.spec.rootless import World

_SLIRP_ADDRESS: Final = "10.0.2.100"
_PATIENCE_S: Final = 5.0  # pasta looks each second
_POLL_S: Final = 0.01
_LISTENS: Final = {"tcp": "0A", "udp": "07"}  # the kernel's states, as /proc/net has them

Port = tuple[str, int]  # protocol, number


class Outside(Protocol):
    """What lets published ports in. Its methods but ``refuse`` and ``inside`` block."""

    usable: bool  # whether there can be networks
    listens: bool  # whether a TCP port must listen inside to be seen

    def require(self) -> None:
        """Refuse networks where nothing carries packets: NotImplementedHere."""

    def refuse(self, port: PublishedPort) -> None:
        """Refuse a port that cannot be had outside: Forbidden, Conflict."""

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Let the ports of endpoints in; idempotent. Unavailable, Conflict: not all can be; none is then."""

    def withdraw(self, endpoints: Sequence[Endpoint]) -> None:
        """Keep them out again; idempotent."""

    def start(self, endpoints: Sequence[Endpoint]) -> None:
        """Make what is let in agree with the endpoints that live."""

    def inside(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Return endpoints with the addresses that their ports have inside."""


class Here:
    """The engine is in the machine's own network namespace: there is nothing to do."""

    usable = True
    listens = False

    def require(self) -> None:
        """Allow networks."""

    def refuse(self, port: PublishedPort) -> None:
        """Refuse nothing."""

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Do nothing."""

    def withdraw(self, endpoints: Sequence[Endpoint]) -> None:
        """Do nothing."""

    def start(self, endpoints: Sequence[Endpoint]) -> None:
        """Do nothing."""

    def inside(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Return them as they are."""
        return list(endpoints)


class Nowhere(Here):
    """Nothing carries packets: containers have no network, or the machine's."""

    usable = False

    def __init__(self, lacks: Iterable[str]) -> None:
        self._why = "; ".join(lack.removeprefix("networks: ") for lack in lacks if lack.startswith("networks: "))

    def require(self) -> None:
        """Refuse networks, with the reason."""
        raise NotImplementedHere(
            f"this rootless engine has no networks ({self._why}): use --network none or --network host"
        )


class Pasta(Here):
    """pasta listens outside for what listens inside."""

    listens = True

    def __init__(self, pid: int, lowest_port: int, tables: Callable[[str], str] | None = None) -> None:
        """``tables`` reads a file of the host's /proc/net; by default as pasta, which is there, sees it."""
        self._lowest = lowest_port
        self._read = tables or (lambda name: Path(f"/proc/{pid}/net/{name}").read_text())
        self._own: set[Port] = set()  # those that pasta has, or had a second ago

    def refuse(self, port: PublishedPort) -> None:
        """Refuse privileged ports, and those that somebody listens on outside already."""
        refuse_privileged(port, self._lowest)
        if port.protocol == "sctp":
            raise NotImplementedHere("publishing SCTP ports: pasta carries TCP and UDP only")
        if (port.protocol, port.host_port) in self._listening() - self._own:
            where = f"{port.host_ip}:{port.host_port}/{port.protocol}"
            raise Conflict(f"failed to bind host port {where}: address already in use")

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Wait until pasta has noticed the ports."""
        wanted = ports_of(endpoints)
        self._own |= wanted
        end = time.monotonic() + _PATIENCE_S
        while missing := wanted - self._listening():
            if time.monotonic() > end:
                shown = ", ".join(f"{number}/{protocol}" for protocol, number in sorted(missing))
                raise Unavailable(f"pasta does not forward {shown}")
            time.sleep(_POLL_S)

    def start(self, endpoints: Sequence[Endpoint]) -> None:
        """Wait until pasta has noticed again what was published before: it had gone with an earlier engine."""
        self.publish(endpoints)

    def _listening(self) -> set[Port]:
        return {(kind, port) for kind in _LISTENS for each in (kind, f"{kind}6") for port in self._table(kind, each)}

    def _table(self, kind: str, name: str) -> set[int]:
        try:
            return listening(self._read(name), _LISTENS[kind])
        except FileNotFoundError:  # without IPv6; or pasta has died, and then nothing listens
            return set()


class Slirp(Here):
    """slirp4netns is told what to forward (slirp4netns(1), "API socket")."""

    def __init__(self, api: str, lowest_port: int) -> None:
        self._api = api
        self._lowest = lowest_port

    def refuse(self, port: PublishedPort) -> None:
        """Refuse privileged ports, SCTP, and addresses of IPv6."""
        refuse_privileged(port, self._lowest)
        if port.protocol == "sctp" or (":" in port.host_ip and port.host_ip != ANY6):
            where = f"{port.protocol} on {port.host_ip}"
            raise NotImplementedHere(f"publishing {where}: slirp4netns carries TCP and UDP over IPv4")

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Have each port forwarded."""
        present = {(row["proto"], row["host_addr"], row["host_port"]) for row in self._rows()}
        for port in _ports4(endpoints):
            if (port.protocol, port.host_ip, port.host_port) in present:
                continue
            answer = self._ask(
                "add_hostfwd", proto=port.protocol, host_addr=port.host_ip, host_port=port.host_port,
                guest_addr=_SLIRP_ADDRESS, guest_port=port.host_port,
            )  # fmt: skip
            if "error" in answer:
                self.withdraw(endpoints)
                where = f"{port.host_ip}:{port.host_port}/{port.protocol}"
                raise Conflict(f"failed to bind host port {where}: address already in use")

    def withdraw(self, endpoints: Sequence[Endpoint]) -> None:
        """Have them forwarded no more."""
        wanted = {(port.protocol, port.host_ip, port.host_port) for port in _ports4(endpoints)}
        for row in self._rows() if wanted else ():
            if (row["proto"], row["host_addr"], row["host_port"]) in wanted:
                self._ask("remove_hostfwd", id=row["id"])

    def start(self, endpoints: Sequence[Endpoint]) -> None:
        """Forget what an earlier engine published for containers that are gone, and publish the rest."""
        wanted = {(port.protocol, port.host_ip, port.host_port) for port in _ports4(endpoints)}
        for row in self._rows():
            if (row["proto"], row["host_addr"], row["host_port"]) not in wanted:
                self._ask("remove_hostfwd", id=row["id"])
        self.publish(endpoints)

    def inside(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Return endpoints whose ports answer on any address: slirp4netns knows only its own inside."""
        return [
            replace(endpoint, ports=tuple(replace(p, host_ip=ANY) if p.version == 4 else p for p in endpoint.ports))
            for endpoint in endpoints
        ]

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._ask("list_hostfwd").get("entries") or []
        return rows

    def _ask(self, command: str, **arguments: object) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as api:
                api.settimeout(_PATIENCE_S)
                api.connect(self._api)
                api.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
                api.shutdown(socket.SHUT_WR)
                text = b"".join(iter(lambda: api.recv(65536), b""))
        except OSError as error:
            raise Unavailable(f"slirp4netns does not answer: {error}") from error
        answer: dict[str, Any] = json.loads(text)
        return answer


def outside_of(world: World | None, folder: Path) -> Outside:
    """Return what lets ports into the namespace that ``world`` tells of; None: the engine is in the machine's own."""
    if world is None:
        return Here()
    match world["network"]:
        case "pasta":
            return Pasta(world["network_pid"], world["lowest_port"])
        case "slirp4netns":
            return Slirp(str(folder / "slirp4netns.sock"), world["lowest_port"])
        case "none":
            return Nowhere(world["lacks"])


def refuse_privileged(port: PublishedPort, lowest: int) -> None:
    """Refuse a port that a plain user cannot have. Pure.

    Raises:
        Forbidden: it is below ``lowest``.
    """
    if 0 < port.host_port < lowest:
        raise Forbidden(
            f"cannot publish port {port.host_port}: plain users have ports from {lowest} on "
            f"(as root: sysctl net.ipv4.ip_unprivileged_port_start={port.host_port})"
        )


def ports_of(endpoints: Iterable[Endpoint]) -> set[Port]:
    """Return what the endpoints publish, whatever the address. Pure."""
    return {(port.protocol, port.host_port) for endpoint in endpoints for port in endpoint.ports if port.host_port}


def listening(table: str, state: str) -> set[int]:
    """Return the local ports in a table such as /proc/net/tcp whose state is ``state`` (proc_pid_net(5)). Pure."""
    rows: Collection[list[str]] = [line.split() for line in table.splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == state}


def _ports4(endpoints: Iterable[Endpoint]) -> list[PublishedPort]:
    return [port for endpoint in endpoints for port in endpoint.ports if port.host_port and port.version == 4]
