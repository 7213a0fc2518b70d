from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest
from soak.lives import Plan, Tally, live, plan

PLAN = Plan("one", 3, 0.0, killed=False, execs=False, bridged=False)


def test_a_life_is_drawn_by_lot_and_the_same_for_the_same_lot() -> None:
    assert plan(random.Random(1), "a") == plan(random.Random(1), "a")
    assert len({plan(random.Random(seed), "a").code for seed in range(50)}) > 10


class Engine(ThreadingUnixStreamServer):
    """Answers as a daemon does, but for what a test changes."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.answers: dict[str, tuple[int, bytes]] = {
            "POST /create": (201, b"{}"),
            "POST /start": (204, b""),
            "POST /wait": (200, b'{"StatusCode": 3}'),
            "GET /json": (200, _state(3)),
            "GET /logs": (200, b"".join(b"line %d\n" % i for i in range(50))),
            "DELETE one": (204, b""),
        }


def _state(code: int) -> bytes:
    return json.dumps({"State": {"Status": "exited", "ExitCode": code}}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Engine
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        key = (
            f"{self.command} {path.rpartition('/')[2] if self.command == 'DELETE' else '/' + path.rpartition('/')[2]}"
        )
        status, raw = self.server.answers[key]
        if self.command == "DELETE":
            self.server.answers["GET /json"] = (404, b"{}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  # http.server's names

    def address_string(self) -> str:
        return "a client"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    server = Engine(tmp_path / "s")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, ""),
        ({"GET /json": (200, _state(255))}, "exit code 255 instead of {3}"),
        ({"GET /logs": (200, b"line 0\n")}, "the log lacks lines [1, 2, 3, 4, 5] of 50"),
        ({"GET /json": (404, b"{}")}, "its record is lost"),
        ({"POST /create": (500, b"no")}, "POST /containers/create?name=one: 500 no"),
        ({"DELETE one": (500, b"no")}, "DELETE /containers/one?v=1&force=1: 500 no"),
    ],
)
def test_what_is_wrong_with_a_life_is_told(engine: Engine, changed: dict[str, Any], fault: str) -> None:
    engine.answers |= changed
    tally = Tally()
    live(str(engine.server_address), PLAN, tally)

    assert (tally.lives, fault in " ".join(tally.faults)) == (1, True)
    assert bool(tally.faults) == bool(fault)
