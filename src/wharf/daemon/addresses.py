"""Where the daemon listens, as ``--host`` spells it. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere

DEFAULT_HOST = "unix:///run/wharf/wharf.sock"
_LONGEST_UNIX_PATH_BYTES = 107  # sun_path without its final NUL, unix(7)


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: Path

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A port of one of the machine's own addresses."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


Address = UnixAddress | TcpAddress


def parse_address(text: str, *, insecure_tcp: bool = False) -> Address:
    """Read ``unix:///path`` or ``tcp://host:port``.

    Whoever reaches the API is root on this machine, and there is no TLS here: TCP is refused without
    ``insecure_tcp``, and with it everywhere but on loopback.

    Raises:
        InvalidArgument: it is neither.
        Forbidden: TCP without the flag, or not on loopback.
        NotImplementedHere: another of Docker's schemes.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not rest:
        raise InvalidArgument(f"invalid host {text!r}: expected unix:///path or tcp://address:port")
    if scheme == "unix":
        return _unix(rest)
    if scheme == "tcp":
        return _tcp(text, insecure_tcp=insecure_tcp)
    raise NotImplementedHere(f"host {text!r}: listening on {scheme}:// is not supported by this build of wharf")


def _unix(path: str) -> UnixAddress:
    if not path.startswith("/"):
        raise InvalidArgument(f"invalid host 'unix://{path}': the path must be absolute")
    if len(path.encode()) > _LONGEST_UNIX_PATH_BYTES:
        raise InvalidArgument(f"invalid host 'unix://{path}': longer than {_LONGEST_UNIX_PATH_BYTES} bytes")
    return UnixAddress(Path(path))


def _tcp(text: str, *, insecure_tcp: bool) -> TcpAddress:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidArgument(f"invalid host {text!r}: {error}") from error
    if host is None or port is None or parts.path not in ("", "/"):
        raise InvalidArgument(f"invalid host {text!r}: expected tcp://address:port")
    if not insecure_tcp:
        raise Forbidden(f"host {text!r}: without TLS whoever connects is root here; --insecure-tcp allows loopback")
    try:
        loopback = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise InvalidArgument(f"invalid host {text!r}: {host} is not an IP address or localhost") from error
    if not loopback.is_loopback:
        raise Forbidden(f"host {text!r}: only loopback addresses are served without TLS")
    return TcpAddress(str(loopback), port)
