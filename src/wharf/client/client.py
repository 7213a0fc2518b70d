"""One engine over one socket at a time: requests, JSON streams and hijacked streams.

The nouns (``client/containers.py`` and its siblings) are thin classes over this one. Everything blocks.
"""

from __future__ import annotations

import os

from wharf.client.address import Address, TlsFiles
from wharf.client.errors import ProtocolError, raise_for
from wharf.client.http1 import Head, Wire, ends_by_itself, read_body, read_head, request_head, send_chunks
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps, loads
from wharf.lib.version import API_VERSION, MIN_API_VERSION, __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Self

    Query = Mapping[str, str | int | bool | list[str] | None]

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def quote(text: str, *, keep: bytes = b"") -> str:
    """Percent-encode ``text`` (RFC 3986), leaving the bytes of ``keep``."""
    return "".join(chr(c) if c in _UNRESERVED or c in keep else f"%{c:02X}" for c in os.fsencode(text))


def query_string(query: Query) -> str:
    """Return ``?a=b`` for what is set: None and empty text are left out, booleans are 1 and 0, lists repeat."""
    parts: list[str] = []
    for name, value in query.items():
        values = value if isinstance(value, list) else [value]
        for item in values:
            if item is None or item == "":
                continue
            text = str(int(item)) if isinstance(item, bool) else str(item)
            parts.append(f"{name}={quote(text)}")
    return "?" + "&".join(parts) if parts else ""


def version_key(version: str) -> tuple[int, int]:
    """Return ``1.41`` as numbers to compare.

    Raises:
        InvalidArgument: it is not of that form.
    """
    major, _, minor = version.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise InvalidArgument(f"invalid API version {version!r}")
    return int(major), int(minor)


class Response:
    """An answer whose body is still on the wire. Read it whole or close it."""

    __slots__ = ("_chunks", "_client", "_done", "_head", "_wire", "status")

    def __init__(self, client: Client, wire: Wire, head: Head, method: str) -> None:
        self._client = client
        self._wire = wire
        self._head = head
        self._chunks = read_body(wire, head, method)
        self._done = False
        self.status = head.status

    def header(self, name: str) -> str:
        """Return a header, empty when it was not sent."""
        return self._head.headers.get(name.lower(), "")

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes. Leaving early, or a failure, closes the connection."""
        try:
            yield from self._chunks
            self._done = True
        finally:
            self.close()

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.chunks())

    def json(self) -> object:
        """Return the body's JSON value; None when it is empty.

        Raises:
            ProtocolError: it is not JSON.
        """
        return _decoded(self.read())

    def json_lines(self) -> Iterator[object]:
        """Yield the values of a stream of JSON documents, one a line, as they come."""
        rest = b""
        for data in self.chunks():
            *lines, rest = (rest + data).split(b"\n")
            yield from (_decoded(line) for line in lines if line.strip())
        if rest.strip():
            yield _decoded(rest)

    def close(self) -> None:
        """Give the connection back when the body was read whole, else close it. Harmless twice."""
        self._client.put_back(self._wire, reusable=self._done and self._head.stays_open)


def _decoded(body: bytes) -> object:
    if not body.strip():
        return None
    try:
        return loads(body.decode("utf-8", "replace"))
    except ValueError as error:
        raise ProtocolError(f"the engine's answer is not JSON: {body[:80]!r}") from error


class Client:
    """An engine's API at one address.

    Args:
        host: ``unix:///path`` or ``tcp://name:port``.
        version: The API version to speak; by default the newest that both sides know.
        tls: How to speak TLS on tcp://; None for not at all.
    """

    def __init__(self, host: str, *, version: str = "", tls: TlsFiles | None = None) -> None:
        self.address = Address(host, tls)
        self._version = version
        self._idle: Wire | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connection, if there is one; from now on none is kept."""
        self._closed = True
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    @property
    def version(self) -> str:
        """The API version in use, agreed upon with the engine on first use (``GET /_ping``)."""
        if not self._version:
            offered = self.ping() or MIN_API_VERSION
            self._version = min(offered, API_VERSION, key=version_key)
        return self._version

    def ping(self) -> str:
        """Return the newest API version the engine speaks.

        Raises:
            EngineUnreachable: nothing listens.
        """
        response = self._send("GET", "/_ping", None, {})
        response.read()
        self._check(response)
        return response.header("api-version")

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        doc: object = None,
        body: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request and return its successful answer, body unread.

        Args:
            method: HTTP's.
            path: Below the version, such as ``/containers/json``.
            query: Left out where None or empty (see :func:`query_string`).
            doc: A JSON document to send.
            body: Bytes to send instead, as they come.
            headers: More headers.

        Raises:
            WharfError: the engine's answer, by status; the cause is an EngineAnswer.
        """
        sent = dict(headers or {})
        payload: bytes | Iterable[bytes] | None = body
        if doc is not None:
            payload = dumps(doc).encode("utf-8", "surrogateescape")
            sent["Content-Type"] = "application/json"
        target = f"/v{self.version}{path}{query_string(query or {})}"
        response = self._send(method, target, payload, sent)
        if response.status >= 400:
            self._check(response)
        return response

    def call(self, method: str, path: str, *, query: Query | None = None, doc: object = None) -> object:
        """Send one request and return its whole JSON answer."""
        return self.request(method, path, query=query, doc=doc).json()

    def hijack(
        self,
        path: str,
        *,
        query: Query | None = None,
        doc: object = None,
        protocol: str = "tcp",
        more: Sequence[tuple[str, str]] = (),
    ) -> Wire:
        """POST and return the connection as a raw two-way stream, owned by the caller.

        An engine answers 101 (upgraded) or, an old one, 200. ``more`` are further headers, some maybe repeated.

        Raises:
            WharfError: the engine's answer, by status.
        """
        target = f"/v{self.version}{path}{query_string(query or {})}"
        payload = dumps(doc).encode("utf-8", "surrogateescape") if doc is not None else b""
        headers = {"Connection": "Upgrade", "Upgrade": protocol, "Content-Type": "application/json"}
        wire = self.address.connect()
        try:
            head_lines = self._head("POST", target, headers, len(payload)).removesuffix(b"\r\n")
            extra = "".join(f"{name}: {value}\r\n" for name, value in more).encode("latin-1", "replace")
            wire.send(head_lines + extra + b"\r\n" + payload)
            head = read_head(wire)
            if head.status not in {101, 200}:
                self._check(Response(self, wire, head, "POST"))
        except BaseException:
            wire.close()
            raise
        return wire

    def put_back(self, wire: Wire, *, reusable: bool) -> None:
        """Keep ``wire`` for the next request, or close it."""
        if reusable and self._idle is None and not self._closed:
            self._idle = wire
        elif wire is not self._idle:
            wire.close()

    def _wire(self) -> Wire:
        wire, self._idle = self._idle, None
        if wire is not None and not _is_stale(wire):
            return wire
        if wire is not None:
            wire.close()
        return self.address.connect()

    def _send(
        self, method: str, target: str, payload: bytes | Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> Response:
        wire = self._wire()
        try:
            if payload is None or isinstance(payload, bytes):
                data = payload or b""
                wire.send(self._head(method, target, headers, len(data)) + data)
            else:
                self._send_stream(wire, method, target, payload, headers)
            head = read_head(wire)
        except BaseException:
            wire.close()
            raise
        if not ends_by_itself(head, method):
            head.headers["connection"] = "close"
        return Response(self, wire, head, method)

    def _send_stream(
        self, wire: Wire, method: str, target: str, payload: Iterable[bytes], headers: Mapping[str, str]
    ) -> None:
        wire.send(self._head(method, target, {**headers, "Transfer-Encoding": "chunked"}, None))
        try:
            send_chunks(wire, payload)
        except (BrokenPipeError, ConnectionResetError):
            # The engine may refuse a body before it has read it all: its answer says why.
            return

    def _head(self, method: str, target: str, headers: Mapping[str, str], length: int | None) -> bytes:
        sent = {"Host": "wharf", "User-Agent": f"wharf/{__version__}", **headers}
        if length is not None and (length or method != "GET"):
            sent["Content-Length"] = str(length)
        return request_head(method, target, sent)

    def _check(self, response: Response) -> None:
        body = response.read() if response.status >= 400 else b""
        raise_for(response.status, _message(body) or f"HTTP status {response.status}")


def _is_stale(wire: Wire) -> bool:
    """Whether an idle connection was closed by the other side, or has bytes nobody asked for."""
    return wire.pending() or wire.has_news()


def _message(body: bytes) -> str:
    try:
        doc = loads(body.decode("utf-8", "replace"))
    except ValueError:
        return body.decode("utf-8", "replace").strip()
    message = doc.get("message") if isinstance(doc, dict) else None
    return message if isinstance(message, str) else ""
