"""An HTTP/1.1 client on a Unix socket, as small as can be and the same for every daemon measured."""

from __future__ import annotations

import json
import socket
from typing import Any, Self

API = "/v1.41"
"""A version that every daemon measured speaks."""


class UnexpectedAnswer(Exception):
    """The daemon answered with an error."""


class Connection:
    """One kept-alive connection; a context manager."""

    def __init__(self, path: str, timeout_s: float = 60.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._path = path
        self._buffer = b""

    def __enter__(self) -> Self:
        self._socket.connect(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        """Send one request and return the body of the answer; raise UnexpectedAnswer unless it is 2xx or 3xx."""
        head = (
            f"{method} {API}{path} HTTP/1.1\r\nHost: bench\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)
        status, headers = self._head()
        answer = self._body(status, headers)
        if status >= 400:
            raise UnexpectedAnswer(f"{method} {path}: {status} {answer.decode(errors='replace').strip()}")
        return answer

    def json(self, method: str, path: str, document: object = None) -> Any:
        """Send a document and return the one answered; None when the answer is empty."""
        answer = self.request(method, path, b"" if document is None else json.dumps(document).encode())
        return json.loads(answer) if answer.strip() else None

    def _head(self) -> tuple[int, dict[str, str]]:
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(first.split()[1]), headers

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        if status in {204, 304}:
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                parts.append(self._exactly(size))
                self._exactly(2)
            self._until(b"\r\n")
            return b"".join(parts)
        return self._exactly(int(headers.get("content-length", "0")))

    def _fill(self) -> None:
        more = self._socket.recv(65536)
        if not more:
            raise UnexpectedAnswer("the daemon closed the connection")
        self._buffer += more

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found
