"""Names as containers ask for them: sockets in real sandboxes, the resolver as a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, cast

import pytest
from tests.root.network.dns import ask, ips, question
from tests.root.network.machines import World

from wharf.kernel import netns, sockets
from wharf.network.endpoint import Endpoint, Wish
from wharf.resolver.book import View
from wharf.resolver.serve import Resolver, _Sandbox

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


class _NameServer:
    """A name server of the host's that answers one question, as it is told, and keeps it."""

    def __init__(self, answer: Callable[[bytes], bytes], kind: socket.SocketKind = socket.SOCK_DGRAM) -> None:
        self.asked = b""
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((_SERVER, 53))
        self._socket.settimeout(30)
        if kind == socket.SOCK_STREAM:
            self._socket.listen()
        self._thread = threading.Thread(target=self._by_stream if kind == socket.SOCK_STREAM else self._by_datagram)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._socket.close()

    def _by_datagram(self) -> None:
        self.asked, sender = self._socket.recvfrom(4096)
        self._socket.sendto(self._answer(self.asked), sender)

    def _by_stream(self) -> None:
        client, _ = self._socket.accept()
        with client:
            self.asked = client.recv(4096)[2:]
            answer = self._answer(self.asked)
            client.sendall(len(answer).to_bytes(2, "big") + answer)


_SERVER = "127.0.0.77"


def _address(asked: bytes) -> bytes:
    record = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton("192.0.2.7"))
    return asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + asked[12:] + record


def test_what_is_no_containers_name_goes_to_the_name_servers(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=(_SERVER,))
    with _NameServer(_address):
        assert ips(ask(web, "example.org")) == {"192.0.2.7"}


def test_question_by_stream_goes_on_by_stream(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=(_SERVER,))
    with _NameServer(_address, socket.SOCK_STREAM):
        assert ips(ask(web, "example.org", stream=True)) == {"192.0.2.7"}


def test_name_server_that_is_not_there_is_passed_over(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=("127.0.0.78", _SERVER))
    with _NameServer(_address):
        assert ips(ask(web, "example.org")) == {"192.0.2.7"}


def test_negative_and_truncated_answers_and_edns_pass_as_they_are(world: World) -> None:
    web = world.attach(A, network="back", names=("web",), servers=(_SERVER,))
    edns = b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)  # an OPT record: 4096 bytes, DNSSEC wanted (RFC 6891)
    soa = struct.pack("!HHHIH", 0xC00C, 6, 1, 60, 24) + b"\1a\0\1b\0" + bytes(18)
    for flags in (0x8183, 0x8380):  # no such name; truncated
        asked = b"\x77\x07\1\0\0\1\0\0\0\0\0\1" + question("nothing.example.org", "A")[12:] + edns
        answer = asked[:2] + struct.pack("!HHHHH", flags, 1, 0, 1, 1) + asked[12 : -len(edns)] + soa + edns
        with (
            _NameServer(lambda _, answer=answer: answer) as server,  # type: ignore[misc]  # binds the loop's variable
            netns.within(web.sandbox, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client,
        ):
            client.settimeout(30)
            client.connect(("127.0.0.11", 53))
            client.send(asked)
            assert client.recv(4096) == answer
        assert server.asked == asked


def test_each_of_several_containers_of_one_name_comes_first_in_its_turn(world: World) -> None:
    web = world.attach(A, network="back", names=("web", "app"))
    other = world.attach(B, network="back", names=("app",))
    firsts = {ask(web, "app")[1][0] for _ in range(64)}  # all alike: once in 2^63 times

    assert {socket.inet_ntoa(first) for first in firsts} == {web.ipv4, other.ipv4}


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


class _Late:
    """A sandbox's socket with two questions, between which the engine says something."""

    def __init__(self, between: Callable[[], object]) -> None:
        self._between = between
        self._asked = 0
        self.answers: list[bytes] = []

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        self._asked += 1
        if self._asked == 2:
            self._between()
        if self._asked > 2:
            raise BlockingIOError
        return question("pg", "A"), ("127.0.0.1", 7)

    def sendto(self, data: bytes, _: tuple[str, int]) -> None:
        self.answers.append(data)


def test_what_the_engine_said_before_a_question_counts_for_it_in_a_burst_too(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as engine,
    ):
        listening.bind(path)
        listening.listen()
        resolver = Resolver(listening)
        engine.connect(path)
        resolver._greet(listening)
        named = {"op": "name", "endpoint": "e", "network": "n", "container": B, "names": ["pg"]}
        late = _Late(lambda: sockets.send(engine, {**named, "addresses": ["10.2.0.9"]}))
        view = View(["n"], {}, [], forward=False)
        resolver._hear(_Sandbox(view, cast("Any", late), cast("Any", None)))
        resolver._drop(resolver._engines[0])

    codes = [answer[3] & 15 for answer in late.answers]
    assert codes == [2, 0]
    assert late.answers[1].endswith(socket.inet_aton("10.2.0.9"))


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
