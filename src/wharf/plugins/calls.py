"""A plugin is called: JSON by POST, over a unix socket, TCP or TLS (docker docs, "Docker Plugin API")."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from wharf.errors import Unavailable, WharfError
from wharf.kernel import unix_socket

_MEDIA_TYPE: Final = "application/vnd.docker.plugins.v1.1+json"
_TIMEOUT_S: Final = 30
_AGAIN_S: Final = 10
_MAX_BYTES: Final = 16 * 1024 * 1024


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
        Unavailable: it does not answer.
        WharfError: it answers with an error: its text is there.
    """
    connection = _connection(address)
    try:
        _connect(connection, _AGAIN_S if address.name else 0)
        connection.request("POST", path, json.dumps(document), {"Content-Type": _MEDIA_TYPE, "Accept": _MEDIA_TYPE})
        answer = connection.getresponse()
        raw = answer.read(_MAX_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the {what} does not answer at {address.url}: {error}") from error
    finally:
        connection.close()
    try:
        said = json.loads(raw) if raw.strip() else {}
    except ValueError:
        said = {"Err": raw[:500].decode("utf-8", "replace")}
    said = said if isinstance(said, dict) else {}
    if answer.status != 200 or said.get("Err"):
        raise WharfError(f"{path.removeprefix('/')}: {said.get('Err') or f'status {answer.status}'}")
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
