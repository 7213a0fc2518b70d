"""Clients that are broken, slow, many or gone: the daemon serves the others, and holds no more afterwards."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.root.wharfd import Wharfd, until

pytestmark = pytest.mark.root
IDLE = {"Image": "busybox", "Cmd": ["cat"], "OpenStdin": True, "HostConfig": {"NetworkMode": "none"}}


@contextmanager
def connected(daemon: Wharfd) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(60)
        wire.connect(str(daemon.socket))
        yield wire


def held(daemon: Wharfd) -> int:
    assert daemon.process is not None
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def resident_mb(daemon: Wharfd) -> float:
    assert daemon.process is not None
    pages = int(Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def everything(wire: socket.socket) -> bytes:
    found = b""
    try:
        while chunk := wire.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def idle(daemon: Wharfd) -> str:
    made: str = daemon.post("/containers/create", IDLE)["Id"]
    daemon.post(f"/containers/{made}/start", None)
    return made


def attach(daemon: Wharfd, wire: socket.socket, container: str, query: str = "stream=1&stdout=1&stdin=1") -> None:
    fields = "Host: d\r\nUpgrade: tcp\r\nConnection: Upgrade"
    wire.sendall(f"POST /containers/{container}/attach?{query} HTTP/1.1\r\n{fields}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _received(wire, 4096)
    assert answer.startswith(b"HTTP/1.1 101"), answer


_COMMIT = b"POST /commit HTTP/1.1\r\nHost: d\r\n"
MALFORMED = {
    "no http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "binary": bytes(range(256)) * 4 + b"\r\n\r\n",
    "no version": b"GET /info\r\n\r\n",
    "a version of the future": b"GET /info HTTP/9.9\r\nHost: d\r\n\r\n",
    "a method that is none": b"G=T /info HTTP/1.1\r\nHost: d\r\n\r\n",
    "a field without a colon": b"GET /info HTTP/1.1\r\nHost d\r\n\r\n",
    "a folded field": b"GET /info HTTP/1.1\r\nHost: d\r\n folded\r\n\r\n",
    "a negative length": b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST /commit HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": _COMMIT + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": _COMMIT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a giant field": b"GET /info HTTP/1.1\r\nHost: d\r\nX: " + b"a" * 2_000_000 + b"\r\n\r\n",
    "a giant target": b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: d\r\n\r\n",
    "too many fields": b"GET /info HTTP/1.1\r\nHost: d\r\n"
    + b"".join(b"X%d: a\r\n" % i for i in range(100_000))
    + b"\r\n",
    "json that is deep": b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
    b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "a path that climbs": b"GET /containers/..%2f..%2fetc/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "a null in a name": b"GET /containers/a%00b/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "no utf-8 in a name": b"GET /containers/%ff%fe/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "no utf-8 in a query": b"GET /containers/json?filters=%ff HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
    "half a request": b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\n{",
}


def test_what_is_malformed_is_refused_and_nobody_else_suffers(daemon: Wharfd) -> None:
    wrong = {}
    for name, sent in MALFORMED.items():
        with connected(daemon) as wire:
            try:
                wire.sendall(sent)
                wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has hung up already
            said = everything(wire)
        if said and not said.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5", b"HTTP/1.0 5", b"HTTP/0.9 4")):
            wrong[name] = said[:200]
        if said.startswith((b"HTTP/1.1 500", b"HTTP/1.0 500")):
            wrong[name] = said[:300]
        assert daemon.get("/version")["ApiVersion"], name

    assert wrong == {}
    assert "Traceback" not in daemon.log.read_text()


def test_heads_that_never_end_hold_up_nobody(daemon: Wharfd) -> None:
    before, memory = held(daemon), resident_mb(daemon)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(daemon)) for _ in range(300)]
        for wire in slow:
            wire.sendall(b"POST /containers/x/attach HTTP/1.1\r\nHost: d\r\nX: " + b"a" * 20_000)
        began = time.monotonic()
        daemon.get("/info")
        took = time.monotonic() - began
        grown = resident_mb(daemon) - memory
    until(lambda: held(daemon) <= before)

    assert took < 5
    assert grown < 60


def test_a_thousand_attached_clients_hear_and_leave_nothing(daemon: Wharfd) -> None:
    container = idle(daemon)
    before = held(daemon)
    with ExitStack() as stack:
        wires = [stack.enter_context(connected(daemon)) for _ in range(1000)]
        for wire in wires:
            attach(daemon, wire, container, "stream=1&stdout=1")
        with connected(daemon) as speaker:
            attach(daemon, speaker, container, "stream=1&stdin=1")
            speaker.sendall(b"hello\n")
            speaker.shutdown(socket.SHUT_WR)
            heard = {_heard(wire, len(b"hello\n")) for wire in wires}
        daemon.get("/info")
    until(lambda: held(daemon) <= before)

    assert heard == {b"hello\n"}
    state = daemon.get(f"/containers/{container}/json")["State"]
    assert state["Running"] is True


def _received(wire: socket.socket, most: int) -> bytes:
    piece = wire.recv(most)
    assert piece, "the daemon has hung up"
    return piece


def _exactly(wire: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        data += _received(wire, length - len(data))
    return data


def _heard(wire: socket.socket, length: int) -> bytes:
    """Read so much output, in however many frames it comes."""
    data = b""
    while len(data) < length:
        data += _exactly(wire, int.from_bytes(_exactly(wire, 8)[4:], "big"))
    return data


def test_one_whose_direction_is_closed_still_hears_and_is_let_go(daemon: Wharfd) -> None:
    made = daemon.post(
        "/containers/create", {**IDLE, "Cmd": ["sh", "-c", "cat; echo after; sleep 100"], "StdinOnce": True}
    )
    daemon.post(f"/containers/{made['Id']}/start", None)
    before = held(daemon)
    with connected(daemon) as wire:
        attach(daemon, wire, made["Id"])
        wire.sendall(b"in\n")
        wire.shutdown(socket.SHUT_WR)
        said = _heard(wire, len(b"in\nafter\n"))
        assert select.select([wire], [], [], 0) == ([], [], [])  # open still: the process goes on
    until(lambda: held(daemon) <= before)

    assert said == b"in\nafter\n"


def test_a_reader_that_stops_reading_stops_neither_container_nor_daemon(daemon: Wharfd) -> None:
    made = daemon.post(
        "/containers/create",
        {
            "Image": "busybox",
            "Cmd": ["sh", "-c", 'head -c 20000000 /dev/zero | tr "\\000" a | fold -w 1000; echo; echo end'],
            "HostConfig": {"NetworkMode": "none"},
        },
    )["Id"]
    memory = resident_mb(daemon)
    with connected(daemon) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        daemon.post(f"/containers/{made}/start", None)
        wire.sendall(f"GET /containers/{made}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        ended = daemon.post(f"/containers/{made}/wait", None)
        grown = resident_mb(daemon) - memory
        lines = daemon.data.log(made).read_text().splitlines()

    assert (ended["StatusCode"], json.loads(lines[-1])["log"]) == (0, "end\n")
    assert grown < 60
