"""A registry of ours for blocking clients: it answers what a test says, and remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_KEYS = Path(__file__).parents[1] / "data/tls"


@dataclass
class HttpRegistry:
    """Answers by method and path; each may be given several times, the last one stays."""

    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # "METHOD path", Authorization
    bodies: list[bytes] = field(default_factory=list)
    address: str = ""

    def says(self, request: str, status: int = 200, body: bytes = b"", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(request, []).append((status, named, body))


@contextmanager
def http_registry(*, tls: bool = False) -> Iterator[HttpRegistry]:
    """Serve on a port of loopback; by TLS with a certificate of ``localhost`` that nobody trusts."""
    fake = HttpRegistry()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            fake.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            request = f"{self.command} {self.path}"
            fake.asked.append((request, self.headers.get("Authorization", "")))
            known = fake.answers.get(request) or [(404, {}, b"")]
            status, headers, body = known.pop(0) if len(known) > 1 else known[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_KEYS / "server.pem", _KEYS / "server-key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    fake.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
