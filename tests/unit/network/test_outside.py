from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wharf.errors import Conflict, Forbidden, NotImplementedHere, Unavailable
from wharf.network import outside
from wharf.network.endpoint import Endpoint, PublishedPort
from wharf.network.outside import Here, Nowhere, Pasta, Slirp, outside_of
from wharf.spec.rootless import World

_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:0016 0100007F:8000 01 00000000:00000000 00:00000000 00000000     0        0 2 1
"""
_WORLD: World = {
    "pid": 7,
    "uid": 1000,
    "ids": "subordinate",
    "network": "pasta",
    "network_pid": 8,
    "lowest_port": 1024,
    "cgroup_v2": "",
    "cgroups": [],
    "lacks": ["networks: pasta is not installed", "limits: none"],
}


def _port(number: int, address: str = "0.0.0.0", protocol: str = "tcp") -> PublishedPort:
    return PublishedPort(80, protocol, address, number)


def _endpoint(*ports: PublishedPort) -> Endpoint:
    return Endpoint("e", "c", "n", "bridge", "/s", "172.17.0.2", 16, "172.17.0.1", "", ports, "veth0")


def _pasta(table: str) -> Pasta:
    return Pasta(8, 1024, lambda name: table if name == "tcp" else "header\n")


def test_listening_ports_are_read_from_the_kernels_table() -> None:
    assert outside.listening(_TCP, "0A") == {8080}


def test_ports_of_plain_users_begin_where_the_machine_says() -> None:
    with pytest.raises(Forbidden, match=r"cannot publish port 80: plain users have ports from 1024 on"):
        outside.refuse_privileged(_port(80), 1024)


def test_a_port_that_somebody_has_outside_is_refused() -> None:
    with pytest.raises(Conflict, match=r"failed to bind host port 0\.0\.0\.0:8080/tcp: address already in use"):
        _pasta(_TCP).refuse(_port(8080))


def test_a_port_that_was_ours_a_moment_ago_is_free() -> None:
    pasta = _pasta(_TCP)

    pasta.publish([_endpoint(_port(8080))])

    pasta.refuse(_port(8080))


def test_ports_that_pasta_does_not_forward_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "_PATIENCE_S", 0.0)

    with pytest.raises(Unavailable, match="pasta does not forward 8081/tcp"):
        _pasta(_TCP).publish([_endpoint(_port(8081))])


def test_pasta_carries_no_sctp() -> None:
    with pytest.raises(NotImplementedHere, match="SCTP"):
        _pasta(_TCP).refuse(_port(9000, protocol="sctp"))


def test_without_a_carrier_networks_are_refused_with_the_reason() -> None:
    with pytest.raises(NotImplementedHere, match=r"no networks \(pasta is not installed\): use --network none or"):
        Nowhere(_WORLD["lacks"]).require()


def test_the_world_tells_what_lets_ports_in() -> None:
    kinds = [type(outside_of({**_WORLD, "network": name}, Path("/r"))) for name in ("pasta", "slirp4netns", "none")]  # type: ignore[typeddict-item]

    assert (type(outside_of(None, Path("/r"))), kinds) == (Here, [Pasta, Slirp, Nowhere])


class _Api:
    """slirp4netns's socket: forwards in memory, one of them taken."""

    def __init__(self, taken: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self._taken = taken
        self._next = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        arguments = request["arguments"]
        match request["execute"]:
            case "list_hostfwd":
                return {"entries": self.rows}
            case "remove_hostfwd":
                self.rows = [row for row in self.rows if row["id"] != arguments["id"]]
                return {"return": {}}
            case _ if arguments["host_port"] == self._taken:
                return {"error": {"desc": "bad request: add_hostfwd: slirp_add_hostfwd failed"}}
        self._next += 1
        self.rows.append({"id": self._next, **arguments})
        return {"return": {"id": self._next}}


def _answer(client: socket.socket, api: _Api) -> None:
    with client:
        text = b"".join(iter(lambda: client.recv(4096), b""))
        client.sendall(json.dumps(api.answer(json.loads(text))).encode())


@contextmanager
def _serving(path: Path, api: _Api) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                _answer(client, api)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _forwards(api: _Api) -> list[tuple[str, int, int]]:
    return [(row["host_addr"], row["host_port"], row["guest_port"]) for row in api.rows]


def test_slirp_forwards_each_port_to_itself_and_forgets_it(tmp_path: Path) -> None:
    api = _Api(taken=0)
    with _serving(tmp_path / "s", api):
        slirp = Slirp(str(tmp_path / "s"), 1024)
        endpoint = _endpoint(_port(8080, "127.0.0.1"), _port(8080, "::"))
        slirp.publish([endpoint])
        slirp.publish([endpoint])

        assert _forwards(api) == [("127.0.0.1", 8080, 8080)]
        slirp.withdraw([endpoint])

    assert _forwards(api) == []


def test_slirp_forwards_all_of_an_endpoints_ports_or_none(tmp_path: Path) -> None:
    api = _Api(taken=8081)
    taken = pytest.raises(Conflict, match=r"0\.0\.0\.0:8081/tcp: address already in use")
    with _serving(tmp_path / "s", api), taken:
        Slirp(str(tmp_path / "s"), 1024).publish([_endpoint(_port(8080), _port(8081))])

    assert _forwards(api) == []


def test_an_engine_that_starts_takes_back_what_is_nobodys(tmp_path: Path) -> None:
    api = _Api(taken=0)
    with _serving(tmp_path / "s", api):
        slirp = Slirp(str(tmp_path / "s"), 1024)
        slirp.publish([_endpoint(_port(8080), _port(8081))])
        slirp.start([_endpoint(_port(8081))])

    assert _forwards(api) == [("0.0.0.0", 8081, 8081)]


def test_inside_of_slirp_ports_answer_on_any_address() -> None:
    found = Slirp("/s", 1024).inside([_endpoint(_port(8080, "127.0.0.1"))])

    assert found == [_endpoint(_port(8080, "0.0.0.0"))]


def test_a_silent_slirp_is_told() -> None:
    with pytest.raises(Unavailable, match="slirp4netns does not answer"):
        Slirp("/nowhere/s", 1024).publish([_endpoint(_port(8080))])


def test_slirp_has_no_ipv6() -> None:
    with pytest.raises(NotImplementedHere, match=r"tcp on fd00::1: slirp4netns carries TCP and UDP over IPv4"):
        Slirp("/s", 1024).refuse(_port(8080, "fd00::1"))
