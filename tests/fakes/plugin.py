"""A plugin that runs by itself, at a unix socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any


class FakePlugin(UnixStreamServer):
    """Answers with what a test put in, by path, or with what that returns; remembers what it was asked."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(str(path), _Handler)
        self.answers: dict[str, Any] = {"/Plugin.Activate": {"Implements": [kind]}}
        self.asked: list[tuple[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: FakePlugin

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        answer = self.server.answers.get(self.path, {})
        answer = answer(body) if callable(answer) else answer
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def address_string(self) -> str:
        return "a client"

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def fake_plugin(path: Path, kind: str = "VolumeDriver") -> Iterator[FakePlugin]:
    """Yield a plugin that listens at ``path``."""
    server = FakePlugin(path, kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
