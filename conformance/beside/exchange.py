"""One HTTP exchange with a daemon on a Unix socket, seen raw: what a client could tell daemons apart by."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` is without chunks; after 101, and in a stream, it is all that came until the end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    ended: bool = True  # False: the daemon kept the connection when time was over


class Broken(Exception):
    """The daemon does not speak HTTP, or hung up."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. ``stdin`` goes out behind the request, once the answer's head is there."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stdin: bytes | None = None
    patience_s: float = 20.0


def ask(path: str, request: Request) -> Answer:
    """Send one request on a connection of its own, and read the whole answer.

    Raises:
        Broken: there is no answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(request.patience_s)
        connection.connect(path)
        headers = {"Host": "docker", **request.headers}
        if request.body is not None:
            headers.setdefault("Content-Length", str(len(request.body)))
        lines = [
            f"{request.method} {request.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        # A daemon may refuse before it has read everything, and hang up.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + (request.body or b""))
        return _answered(_Reader(connection), request)


class _Reader:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            more = self.connection.recv(65536)
            if not more:
                raise Broken(f"hung up after {self._buffer[:200]!r}")
            self._buffer += more
        found, self._buffer = self._buffer.split(b"\r\n", 1)
        return found

    def some(self, size: int = 65536) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        if not self._buffer:
            self._buffer = self.connection.recv(65536)
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found


def _answered(reader: _Reader, request: Request) -> Answer:
    try:
        status, headers = _head(reader)
    except (TimeoutError, ConnectionResetError) as error:
        raise Broken(f"no answer: {error}") from error
    if status in {204, 304} or request.method == "HEAD":
        return Answer(status, headers)
    if request.stdin is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            reader.connection.sendall(request.stdin)
            reader.connection.shutdown(socket.SHUT_WR)
    parts: list[bytes] = []
    try:
        parts.extend(_parts(reader, headers))
    except (TimeoutError, ConnectionResetError):
        return Answer(status, headers, b"".join(parts), ended=False)
    return Answer(status, headers, b"".join(parts))


def _head(reader: _Reader) -> tuple[int, dict[str, str]]:
    first = reader.line().split()
    if len(first) < 2 or not first[0].startswith(b"HTTP/"):
        raise Broken(f"no HTTP: {first!r}")
    headers: dict[str, str] = {}
    while line := reader.line().decode("latin-1"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(first[1]), headers


def _parts(reader: _Reader, headers: Mapping[str, str]) -> Iterator[bytes]:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int(reader.line().split(b";")[0], 16):
            while size:
                part = reader.some(size)
                if not part:
                    return
                size -= len(part)
                yield part
            reader.line()
    elif "content-length" in headers:
        left = int(headers["content-length"])
        while left and (part := reader.some(left)):
            left -= len(part)
            yield part
    else:
        while part := reader.some():
            yield part
