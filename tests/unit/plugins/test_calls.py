from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from wharf.errors import Unavailable, WharfError
from wharf.volumes.plugin_calls import Address, call


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        raw = json.dumps({"Err": asked.get("say", ""), "Path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def address_string(self) -> str:
        return "a client"

    def log_message(self, *_: object) -> None:
        pass


def _serve(path: Path, requests: int) -> threading.Thread:
    server = UnixStreamServer(str(path), _Handler)

    def run() -> None:
        with server:
            for _ in range(requests):
                server.handle_request()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_plugin_is_asked_and_its_error_is_told(tmp_path: Path) -> None:
    thread = _serve(tmp_path / "a.sock", 2)
    address = Address(f"unix://{tmp_path}/a.sock")

    assert call("plugin a", address, "/Kind.Verb", {})["Path"] == "/Kind.Verb"
    with pytest.raises(WharfError, match=r"Kind\.Verb: no space"):
        call("plugin a", address, "/Kind.Verb", {"say": "no space"})
    thread.join()


def test_one_of_the_engines_own_is_waited_for_while_it_is_started_anew(tmp_path: Path) -> None:
    started: list[threading.Thread] = []
    later = threading.Timer(0.05, lambda: started.append(_serve(tmp_path / "a.sock", 1)))
    later.start()

    assert call("plugin a", Address(f"unix://{tmp_path}/a.sock", name="a:latest"), "/Kind.Verb", {})["Err"] == ""
    later.join()
    started[0].join()


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"the plugin a does not answer at unix://.*a\.sock"):
        call("plugin a", Address(f"unix://{tmp_path}/a.sock"), "/Kind.Verb", {})
