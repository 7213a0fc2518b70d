"""HTTP/1.1 from the client's side, as much as an Engine API needs (RFC 9112).

Own code because it is short and start-up is a budget: h11 imports typing, dataclasses and re, which costs three
times a bare interpreter. Limits are on everything that the other side chooses.
"""

from __future__ import annotations

# The C module itself, as in :mod:`wharf.client.address`.
import _socket
import os
import stat
import sys

from wharf.client.errors import ProtocolError
from wharf.errors import DataLoss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_MSG_PEEK, _MSG_DONTWAIT = 0x2, 0x40  # recv(2)
MAX_LINE = 65536
MAX_HEADERS = 128
_CHUNK = 65536
_FILE_CHUNK = 1 << 20
_READ = 1 << 18
_INT_BYTES = 4


class File:
    """What a descriptor has to give, as a body. Owns the descriptor, and closes it once all has been read."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __iter__(self) -> Iterator[bytes]:
        try:
            while data := os.read(self._fd, _READ):
                yield data
        finally:
            os.close(self._fd)

    def send(self, wire: Wire) -> None:
        """Send it as chunks, but for the end: a regular file's by the kernel, where the wire lets it.

        Raises:
            DataLoss: the file became shorter meanwhile.
        """
        if wire.takes_files:
            while length := min(_left(self._fd), _FILE_CHUNK):
                wire.send(b"%x\r\n" % length)
                wire.send_file(self._fd, length)
                wire.send(b"\r\n")
        for data in self:  # what is no regular file, or grew
            _send_chunk(wire, data)


def _left(fd: int) -> int:
    """Return how many bytes of a regular file are still to be read; 0 of anything else."""
    status = os.fstat(fd)
    return max(0, status.st_size - os.lseek(fd, 0, os.SEEK_CUR)) if stat.S_ISREG(status.st_mode) else 0


class Wire:
    """A connected socket and what was read from it too early. Owns the socket."""

    __slots__ = ("_buffer", "_socket")

    takes_files = True
    """Whether the kernel may send files on it."""

    def __init__(self, connected: _socket.socket) -> None:
        self._socket = connected
        self._buffer = b""

    def fileno(self) -> int:
        """The descriptor, for poll(2); ask :meth:`pending` first."""
        return self._socket.fileno()

    def pending(self) -> bool:
        """Whether bytes wait that poll(2) does not see."""
        return bool(self._buffer)

    def has_news(self) -> bool:
        """Whether bytes or the end wait on the socket; takes nothing and does not block."""
        try:
            self._socket.recv(1, _MSG_PEEK | _MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        self._socket.sendall(data)

    def send_some(self, data: bytes) -> int:
        """Send what the other side takes at once, and return how many bytes that was; 0 where it takes none now."""
        try:
            return self._socket.send(data, _MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def send_file(self, fd: int, length: int) -> None:
        """Send ``length`` bytes of a file from where it stands; nothing of them passes through this process.

        Raises:
            DataLoss: it has fewer.
        """
        while length:
            sent = os.sendfile(self._socket.fileno(), fd, None, length)
            if not sent:
                raise DataLoss("the file became shorter while it was sent")
            length -= sent

    def send_descriptors(self, data: bytes, fds: Sequence[int]) -> None:
        """Send bytes, with copies of descriptors (unix(7), SCM_RIGHTS); on unix sockets alone."""
        packed = b"".join(fd.to_bytes(_INT_BYTES, sys.byteorder) for fd in fds)
        sent = self._socket.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)])
        self._socket.sendall(data[sent:])

    def shut_down(self) -> None:
        """End both ways, and whoever reads or writes on another thread; the socket stays the caller's to close."""
        try:
            self._socket.shutdown(2)
        except OSError:
            return  # the other side was first

    def finish_sending(self) -> None:
        """Send end-of-file; reading goes on (shutdown(2), SHUT_WR)."""
        self._socket.shutdown(1)

    def read_some(self, limit: int = _CHUNK) -> bytes:
        """Return the next bytes, at most ``limit``; empty at end-of-file."""
        if self._buffer:
            data, self._buffer = self._buffer[:limit], self._buffer[limit:]
            return data
        return self._socket.recv(limit)

    def read_line(self) -> bytes:
        """Return the next line without its end.

        Raises:
            ProtocolError: the line is too long, or the stream ends in it.
        """
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise ProtocolError("the engine sent a line that is too long")
            more = self._socket.recv(_CHUNK)
            if not more:
                raise ProtocolError("the engine closed the connection before it answered")
            self._buffer += more
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.rstrip(b"\r")

    def close(self) -> None:
        """Close the socket; harmless twice."""
        self._socket.close()


class Head:
    """Status and headers of an answer; header names in lower case."""

    __slots__ = ("headers", "status")

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers

    @property
    def stays_open(self) -> bool:
        """Whether the connection may be used again once the body is read."""
        return self.headers.get("connection", "").lower() != "close" and "upgrade" not in self.headers


def request_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Return the request line and headers as bytes.

    Raises:
        ValueError: a value would break out of its line.
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds an end of line")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def read_head(wire: Wire) -> Head:
    """Read one answer's head, skipping 100-continue.

    Raises:
        ProtocolError: it is not HTTP/1.x, or it is over the limits.
    """
    while True:
        version, _, rest = wire.read_line().decode("latin-1").partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/1.") or not code.isdigit() or len(code) != 3:
            raise ProtocolError("the answer is not HTTP")
        headers = _read_headers(wire)
        if code != "100":
            return Head(int(code), headers)


def _read_headers(wire: Wire) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = wire.read_line().decode("latin-1")
        if not line:
            return headers
        name, separator, value = line.partition(":")
        if not separator:
            raise ProtocolError("the engine sent a header without a name")
        headers[name.strip().lower()] = value.strip()
    raise ProtocolError("the engine sent too many headers")


def read_body(wire: Wire, head: Head, method: str) -> Iterator[bytes]:
    """Yield the body as it comes: by length, in chunks, or until the end of the stream.

    Raises:
        ProtocolError: it ends early or its framing is wrong.
    """
    if method == "HEAD" or head.status in {204, 304} or head.status < 200:
        return
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        yield from _read_chunks(wire)
    elif "content-length" in head.headers:
        yield from _read_exactly(wire, _length(head.headers["content-length"], 10))
    else:
        while data := wire.read_some():
            yield data


def ends_by_itself(head: Head, method: str) -> bool:
    """Whether the body's end can be told without the connection's end."""
    bodiless = method == "HEAD" or head.status in {204, 304}
    return (
        bodiless or "content-length" in head.headers or "chunked" in head.headers.get("transfer-encoding", "").lower()
    )


def _length(text: str, radix: int) -> int:
    try:
        value = int(text, radix)
    except ValueError:
        value = -1
    if value < 0:
        raise ProtocolError(f"the engine sent a length that is none: {text[:32]!r}")
    return value


def _read_exactly(wire: Wire, length: int) -> Iterator[bytes]:
    while length:
        data = wire.read_some(min(length, _CHUNK))
        if not data:
            raise ProtocolError("the engine's answer ended early")
        length -= len(data)
        yield data


def _read_chunks(wire: Wire) -> Iterator[bytes]:
    while length := _length(wire.read_line().split(b";")[0].decode("latin-1").strip(), 16):
        yield from _read_exactly(wire, length)
        if wire.read_line():
            raise ProtocolError("the engine's chunk is longer than it says")
    while wire.read_line():  # trailers
        pass


def send_chunks(wire: Wire, body: Iterable[bytes]) -> None:
    """Send ``body`` with chunked framing, ending it."""
    if isinstance(body, File):
        body.send(wire)
    else:
        for data in body:
            if data:
                _send_chunk(wire, data)
    wire.send(b"0\r\n\r\n")


def _send_chunk(wire: Wire, data: bytes) -> None:
    wire.send(b"%x\r\n%b\r\n" % (len(data), data))
