"""Names as containers ask for them: sockets in real sandboxes, the resolver as a process of its own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.network.machines import World

from wharf.kernel import netns
from wharf.network.endpoint import Endpoint, Wish

pytestmark = pytest.mark.root

A, B, C = "a" * 64, "b" * 64, "c" * 64
_TYPES = {"A": 1, "PTR": 12, "AAAA": 28}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.start()
    made.create("back", "10.2.0.0/24", "fd00:2::/64", EnableIPv6=True)
    yield made
    for container_id in {str(row[0]) for row in made.database.query("SELECT container_id FROM endpoints")}:
        made.release(container_id)
    made.close()


def _question(name: str, kind: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        secrets.token_bytes(2)
        + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0)
        + labels
        + struct.pack("!BHH", 0, _TYPES[kind], 1)
    )


def _ask(endpoint: Endpoint, name: str, kind: str = "A", *, stream: bool = False) -> tuple[int, list[bytes]]:
    """Ask from a sandbox; return the response code and the data of each answer."""
    kinds = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    question = _question(name, kind)
    with netns.within(endpoint.sandbox, lambda: socket.socket(socket.AF_INET, kinds)) as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.11", 53))
        sock.sendall(len(question).to_bytes(2, "big") + question if stream else question)
        data = sock.recv(4096)[2 if stream else 0 :]
    assert data[:2] == question[:2]
    _, flags, _, answers, _, _ = struct.unpack_from("!HHHHHH", data)
    found, offset = [], len(question)
    for _ in range(answers):
        (length,) = struct.unpack_from("!H", data, offset + 10)
        found.append(data[offset + 12 : offset + 12 + length])
        offset += 12 + length
    return flags & 15, found


def _ips(answer: tuple[int, list[bytes]]) -> set[str]:
    code, found = answer
    assert code == 0
    return {socket.inet_ntop(socket.AF_INET6 if len(data) == 16 else socket.AF_INET, data) for data in found}


def test_containers_find_each_other_by_name_and_by_address(world: World) -> None:
    web = world.attach(A, network="back", names=("web", "www"))
    pg = world.attach(B, network="back", names=("pg", "www"))

    assert _ips(_ask(web, "pg")) == {pg.ipv4}
    assert _ips(_ask(web, "PG", "AAAA")) == {pg.ipv6}
    assert _ips(_ask(web, "pg.back", stream=True)) == {pg.ipv4}
    assert _ips(_ask(pg, "www")) == {web.ipv4, pg.ipv4}
    assert _ask(pg, "2.0.2.10.in-addr.arpa", "PTR") == (0, [b"\x03web\x04back\x00"])
    world.release(B)
    assert _ips(_ask(web, "www")) == {web.ipv4}


def test_links_are_names_for_one_container_alone(world: World) -> None:
    pg = world.attach(B, network="back", names=("pg",))
    web = world.attach(A, network="back", names=("web",), links=((B, "db"),))

    assert _ips(_ask(web, "db")) == {pg.ipv4}


def test_names_of_other_networks_are_not_known_until_they_are_joined(world: World) -> None:
    world.create("front", "10.1.0.0/24", Internal=True)
    web = world.attach(A, network="front", names=("web",))
    pg = world.attach(B, network="back", names=("pg",))
    assert _ask(web, "pg") == (2, [])
    world.connect(A, "back", names=("web",))
    assert _ips(_ask(web, "pg")) == {pg.ipv4}
    world.disconnect(A, "back")
    assert _ask(web, "pg") == (2, [])


def test_container_may_serve_port_53_itself(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with netns.within(web.sandbox, lambda kind=kind: socket.socket(socket.AF_INET, kind)) as own:  # type: ignore[misc]
            own.bind(("0.0.0.0", 53))
    assert _ips(_ask(web, "web")) == {web.ipv4}


def test_what_is_no_containers_name_goes_to_the_name_servers(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=("127.0.0.77",))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.77", 53))
        server.settimeout(5)

        def answer() -> None:
            data, sender = server.recvfrom(512)
            record = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton("192.0.2.7"))
            server.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:] + record, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        assert _ips(_ask(web, "example.org")) == {"192.0.2.7"}
        thread.join()


def test_names_go_on_while_no_engine_runs_and_after_it_comes_back(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    world.attach(B, network="back", names=("pg",))
    world.reborn()
    assert _ips(_ask(web, "web")) == {web.ipv4}
    world.start(A)

    assert _ips(_ask(web, "web")) == {web.ipv4}
    third = world.attach(C, network="back", names=("third",))
    assert _ips(_ask(web, "third")) == {third.ipv4}


def test_killed_resolver_is_replaced_when_an_engine_starts(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    os.kill(world.networks._fabric._names._pid, signal.SIGKILL)
    os.waitpid(world.networks._fabric._names._pid, 0)
    world.networks._fabric._names._pid = 0
    world.reborn()
    world.start(A)

    assert _ips(_ask(web, "web")) == {web.ipv4}


def test_killed_resolver_does_not_keep_the_next_container_from_its_names(world: World) -> None:
    world.attach(A, network="back", names=("web",))
    os.kill(world.networks._fabric._names._pid, signal.SIGKILL)
    os.waitpid(world.networks._fabric._names._pid, 0)
    world.networks._fabric._names._pid = 0

    pg = world.attach(B, network="back", names=("pg",))

    assert _ips(_ask(pg, "pg")) == {pg.ipv4}


def test_resolver_has_no_privileges(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    _ask(web, "web")
    status = Path(f"/proc/{world.networks._fabric._names._pid}/status").read_text()

    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "CapEff:\t0000000000000000" in status


def test_busybox_resolves_too(world: World) -> None:
    (web,) = world.attach_all(A, wishes=[Wish("back", names=("web",))])
    command = ["nsenter", f"--net={web.sandbox}", "busybox", "nslookup", "web", "127.0.0.11"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert web.ipv4 in done.stdout


def test_container_that_left_all_networks_is_served_again_when_it_joins(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    world.disconnect(A, "back")
    (again,) = world.connect(A, "back", names=("web",))

    assert _ips(_ask(web, "web")) == {again.ipv4}
