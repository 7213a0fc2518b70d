"""A plugin is called: JSON by POST, over a unix socket, TCP or TLS (docker docs, "Docker Plugin API").

Nothing that it says is trusted: the whole of an answer comes within the plugin's time, is of a bounded size, and is
one JSON object; else there is one error that says which plugin, and what was wrong.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wharf.errors import NotImplementedHere, Unavailable, WharfError
from wharf.kernel import unix_socket

_MEDIA_TYPE: Final = "application/vnd.docker.plugins.v1.1+json"
_HEADERS: Final = {"Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE}
_TIMEOUT_S: Final = 30
_AGAIN_S: Final = 10
_MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_TEXT: Final = 500


class Refused(WharfError):
    """A plugin answers with an error."""

    def __init__(self, text: str, told: str = "") -> None:
        super().__init__(text)
        self.told = told or text  # in its own words


@dataclass(frozen=True, slots=True)
class Address:
    """Where a plugin listens."""

    url: str  # unix:///path, tcp://host:port
    tls: Mapping[str, object] | None = None  # TLSConfig of a JSON specification
    name: str = ""  # of a plugin that the engine keeps: in full; what it does is known, and no hands are shaken
    timeout_s: int = 0  # 0: 30
    locate: Callable[[str], str] | None = None  # where a path of its own is on the host; None: just there


def call(what: str, address: Address, path: str, document: Mapping[str, object]) -> dict[str, Any]:
    """Return what a plugin answers to ``document`` at ``path``; blocking.

    One of the engine's own is waited for where it is just started anew.

    Args:
        what: who is asked, for messages: "volume plugin sample".
        address: where.
        path: "/VolumeDriver.Create", for example.
        document: what is asked.

    Raises:
        Unavailable: it does not answer in time, or more than anybody would.
        NotImplementedHere: it knows nothing of ``path`` (its status is 404).
        Refused: it answers with an error, whose text is there.
        WharfError: it answers with what is no answer.
    """
    with _asked(what, address, path, document) as answer:
        raw = answer.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise Unavailable(f"the {what} answers {path.removeprefix('/')} with more than {_MAX_BYTES >> 20} MiB")
    return _understood(what, path.removeprefix("/"), answer.status, raw)


@contextmanager
def streamed(
    what: str, address: Address, path: str, document: Mapping[str, object]
) -> Iterator[tuple[Callable[[int], bytes], Callable[[], None]]]:
    """Yield how to read what a plugin answers, as it comes, and how to end that from another thread; blocking.

    Each piece may take as long as it likes. Raises as :func:`call`; when reading, OSError.
    """
    with _asked(what, address, path, document, whole=False) as answer:
        if answer.status != 200:
            _understood(what, path.removeprefix("/"), answer.status, answer.read(_MAX_TEXT))
        yield answer.read1, answer.abandon


class _Answer:
    """An answer that comes, on a connection of its own."""

    def __init__(self, connection: http.client.HTTPConnection, plain: socket.socket) -> None:
        self._answer = connection.getresponse()
        self._plain = plain
        self.status = self._answer.status
        self.read, self.read1 = self._answer.read, self._answer.read1

    def abandon(self) -> None:
        """Let whoever reads see the end; from any thread."""
        self._plain.shutdown(socket.SHUT_RDWR)


@contextmanager
def _asked(
    what: str, address: Address, path: str, document: Mapping[str, object], *, whole: bool = True
) -> Iterator[_Answer]:
    """Yield an answer whose head has come; ``whole``: all of it must come in the plugin's time."""
    connection: http.client.HTTPConnection | None = None
    plain: socket.socket | None = None
    try:
        connection = _connection(address)
        _connect(connection, _AGAIN_S if address.name else 0)
        plain = connection.sock
        hurried = _Hurried(plain, time.monotonic() + (address.timeout_s or _TIMEOUT_S))
        connection.sock = hurried
        connection.request("POST", path, json.dumps(document), _HEADERS)
        answer = _Answer(connection, plain)
        if not whole:
            hurried.end = None
        yield answer
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a malformed chunk's size, or port
        raise Unavailable(f"the {what} does not answer at {address.url}: {error}") from error
    finally:
        if connection is not None:
            connection.close()
        if plain is not None:
            plain.close()


def _understood(what: str, method: str, status: int, raw: bytes) -> dict[str, Any]:
    """Return the object that ``raw`` spells; raises as :func:`call`. Pure."""
    try:
        said = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        said = raw
    told = said.get("Err") if isinstance(said, dict) else ""
    if status == 404:
        raise NotImplementedHere(f"{method}: the {what} does not know it")
    if status != 200:
        text = told or raw[:_MAX_TEXT].decode("utf-8", "replace").strip()
        text = text or f"status {status}"
        raise Refused(f"{method}: {text}", str(text))
    if told:
        raise Refused(f"{method}: {told}", str(told))
    if said is None:
        return {}
    if not isinstance(said, dict):
        shown = raw[:_MAX_TEXT].decode("utf-8", "replace")
        raise WharfError(f"{method}: the {what} answers with what is no JSON object: {shown}")
    return said


def _connect(connection: http.client.HTTPConnection, patience_s: float) -> None:
    end, pause_s = time.monotonic() + patience_s, 0.01
    while True:
        try:
            connection.connect()
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 1)
        else:
            return


class _Hurried:
    """A connected socket on which all that is sent and received is so before a time; as http.client uses one."""

    def __init__(self, plain: socket.socket, end: float) -> None:
        self._plain, self._unsent = plain, b""
        self.end: float | None = end  # by time.monotonic; None: there is no hurry any more

    def _hurry(self) -> socket.socket:
        left_s = None if self.end is None else self.end - time.monotonic()
        if left_s is not None and left_s <= 0:
            raise TimeoutError("timed out")
        self._plain.settimeout(left_s)
        return self._plain

    def sendall(self, data: bytes) -> None:
        self._unsent += data  # head and body go at once

    def receive_into(self, buffer: Any) -> int:
        return self._hurry().recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb", "http.client reads answers so"
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it had heard everything
            self._hurry().sendall(self._unsent)
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Do nothing: http.client closes before it has read, and whoever connected closes."""


class _Reader(io.RawIOBase):
    def __init__(self, of: _Hurried) -> None:
        self._of = of

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._of.receive_into(buffer)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout_s: int) -> None:
        super().__init__("plugin", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        unix_socket.at(self._path, self.sock.connect)


def _connection(address: Address) -> http.client.HTTPConnection:
    parts, timeout_s = urlsplit(address.url), address.timeout_s or _TIMEOUT_S
    if parts.scheme == "unix":
        return _UnixConnection(parts.path, timeout_s)
    if parts.scheme not in ("tcp", "http", "https") or not parts.hostname:
        raise Unavailable(f"the address of a plugin is none: {address.url}")
    if address.tls is None and parts.scheme != "https":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=_tls(address.tls or {}))


def _tls(told: Mapping[str, object]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(told["CAFile"]) if told.get("CAFile") else None)
    if told.get("InsecureSkipVerify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if told.get("CertFile"):
        context.load_cert_chain(str(told["CertFile"]), str(told.get("KeyFile") or "") or None)
    return context
