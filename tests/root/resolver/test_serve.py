"""Names as containers ask for them: sockets in real sandboxes, the resolver as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.network.dns import ask, ips
from tests.root.network.machines import World

from wharf.kernel import netns
from wharf.network.endpoint import Endpoint, Wish

pytestmark = pytest.mark.root

A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.start()
    made.create("back", "10.2.0.0/24", "fd00:2::/64", EnableIPv6=True)
    yield made
    for container_id in {str(row[0]) for row in made.database.query("SELECT container_id FROM endpoints")}:
        made.release(container_id)
    made.close()


def test_containers_find_each_other_by_name_and_by_address(world: World) -> None:
    web = world.attach(A, network="back", names=("web", "www"))
    pg = world.attach(B, network="back", names=("pg", "www"))

    assert ips(ask(web, "pg")) == {pg.ipv4}
    assert ips(ask(web, "PG", "AAAA")) == {pg.ipv6}
    assert ips(ask(web, "pg.back", stream=True)) == {pg.ipv4}
    assert ips(ask(pg, "www")) == {web.ipv4, pg.ipv4}
    assert ask(pg, "2.0.2.10.in-addr.arpa", "PTR") == (0, [b"\x03web\x04back\x00"])
    world.release(B)
    assert ips(ask(web, "www")) == {web.ipv4}


def test_links_are_names_for_one_container_alone(world: World) -> None:
    pg = world.attach(B, network="back", names=("pg",))
    web = world.attach(A, network="back", names=("web",), links=((B, "db"),))

    assert ips(ask(web, "db")) == {pg.ipv4}


def test_names_of_other_networks_are_not_known_until_they_are_joined(world: World) -> None:
    world.create("front", "10.1.0.0/24", Internal=True)
    web = world.attach(A, network="front", names=("web",))
    pg = world.attach(B, network="back", names=("pg",))
    assert ask(web, "pg") == (2, [])
    world.connect(A, "back", names=("web",))
    assert ips(ask(web, "pg")) == {pg.ipv4}
    world.disconnect(A, "back")
    assert ask(web, "pg") == (2, [])


def test_container_may_serve_port_53_itself(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with netns.within(web.sandbox, lambda kind=kind: socket.socket(socket.AF_INET, kind)) as own:  # type: ignore[misc]
            own.bind(("0.0.0.0", 53))
    assert ips(ask(web, "web")) == {web.ipv4}


def test_what_is_no_containers_name_goes_to_the_name_servers(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=("127.0.0.77",))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.77", 53))
        server.settimeout(30)

        def answer() -> None:
            data, sender = server.recvfrom(512)
            record = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton("192.0.2.7"))
            server.sendto(data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:] + record, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        assert ips(ask(web, "example.org")) == {"192.0.2.7"}
        thread.join()


def test_names_go_on_while_no_engine_runs_and_after_it_comes_back(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    world.attach(B, network="back", names=("pg",))
    world.reborn()
    assert ips(ask(web, "web")) == {web.ipv4}
    world.start(A)

    assert ips(ask(web, "web")) == {web.ipv4}
    third = world.attach(C, network="back", names=("third",))
    assert ips(ask(web, "third")) == {third.ipv4}


def test_killed_resolver_is_replaced_when_an_engine_starts(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    os.kill(world.networks._fabric._names._pid, signal.SIGKILL)
    os.waitpid(world.networks._fabric._names._pid, 0)
    world.networks._fabric._names._pid = 0
    world.reborn()
    world.start(A)

    assert ips(ask(web, "web")) == {web.ipv4}


def test_killed_resolver_does_not_keep_the_next_container_from_its_names(world: World) -> None:
    world.attach(A, network="back", names=("web",))
    os.kill(world.networks._fabric._names._pid, signal.SIGKILL)
    os.waitpid(world.networks._fabric._names._pid, 0)
    world.networks._fabric._names._pid = 0

    pg = world.attach(B, network="back", names=("pg",))

    assert ips(ask(pg, "pg")) == {pg.ipv4}


def test_resolver_has_no_privileges(world: World) -> None:
    web = world.attach(A, network="back", names=("web",))
    ask(web, "web")
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

    assert ips(ask(web, "web")) == {again.ipv4}


def test_container_that_has_left_is_not_named_again_before_its_record_is_gone(world: World) -> None:
    world.create("inner", "10.1.0.0/24", Internal=True)
    web = world.attach(A, network="inner", names=("web",))
    pg = world.attach(B, network="inner", names=("pg",))
    world.networks._fabric._names.leave([pg])
    world.networks._fabric.resume_names()

    assert ips(ask(web, "web")) == {web.ipv4}
    assert ask(web, "pg") == (2, [])
    world.networks._fabric._names.serve(B, [pg])
    world.networks._fabric.resume_names()
    assert ips(ask(web, "pg")) == {pg.ipv4}


@pytest.mark.skipif(shutil.which("dig") is None, reason="there is no dig")
@pytest.mark.parametrize("how", ["+notcp", "+tcp", "+noedns", "+bufsize=4096", "+dnssec"])
def test_dig_understands_the_answers(world: World, how: str) -> None:
    web = world.attach(A, network="back", names=("web",))

    assert _dig(web, "web", how) == ("NOERROR", [web.ipv4])
    assert _dig(web, "web", how, "AAAA") == ("NOERROR", [web.ipv6])
    assert _dig(web, "web", how, "MX") == ("NOERROR", [])
    assert _dig(web, "-x", web.ipv4, how) == ("NOERROR", ["web.back."])
    assert _dig(web, "+opcode=status", "web", how)[0] == "NOTIMP"


def _dig(endpoint: Endpoint, *arguments: str) -> tuple[str, list[str]]:
    """Return the status that dig tells, and the data of the answers."""
    command = ["nsenter", f"--net={endpoint.sandbox}", "dig", "@127.0.0.11", "+tries=1", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    status = shown.partition("status: ")[2].partition(",")[0]
    answers = shown.partition(";; ANSWER SECTION:\n")[2].partition("\n\n")[0]
    return status, [line.split()[-1] for line in answers.splitlines()]
