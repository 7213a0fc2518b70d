"""Where the daemon listens, as ``--host`` spells it. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere

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


@dataclass(frozen=True, slots=True)
class InheritedAddress:
    """Sockets that whoever started us has opened already (socket activation, sd_listen_fds(3))."""

    which: str  # a descriptor's number, the name it was given, or nothing for all

    def __str__(self) -> str:
        return f"fd://{self.which}"


Address = UnixAddress | TcpAddress | InheritedAddress


def parse_address(text: str, *, insecure_tcp: bool = False, verified: bool = False) -> Address:
    """Read ``unix:///path``, ``tcp://host:port``, ``host:port`` or ``fd://``.

    Whoever reaches the API is root on this machine. So TCP is for clients whose certificates are ``verified``;
    others are refused without ``insecure_tcp``, and with it everywhere but on loopback.

    Raises:
        InvalidArgument: it is none of them.
        Forbidden: TCP for everybody without the flag, or not on loopback.
        NotImplementedHere: another of Docker's schemes.
    """
    if ":" in text and "://" not in text:
        text = f"tcp://{text}"
    scheme, separator, rest = text.partition("://")
    if separator and scheme == "fd":
        return InheritedAddress("" if rest == "*" else rest)
    if not separator or not rest:
        raise InvalidArgument(f"invalid host {text!r}: expected unix:///path, tcp://address:port or fd://")
    if scheme == "unix":
        return _unix(rest)
    if scheme == "tcp":
        return _tcp(text, insecure_tcp=insecure_tcp, verified=verified)
    raise NotImplementedHere(f"host {text!r}: listening on {scheme}:// is not supported by this build of wharf")


def parse_metrics_address(text: str) -> TcpAddress:
    """Read the ``address:port`` of ``--metrics-addr``, which serves figures alone and may be on any address.

    Raises:
        InvalidArgument: it is none.
    """
    return _tcp(f"tcp://{text}", insecure_tcp=False, verified=True)


def _unix(path: str) -> UnixAddress:
    if not path.startswith("/"):
        raise InvalidArgument(f"invalid host 'unix://{path}': the path must be absolute")
    if len(path.encode()) > _LONGEST_UNIX_PATH_BYTES:
        raise InvalidArgument(f"invalid host 'unix://{path}': longer than {_LONGEST_UNIX_PATH_BYTES} bytes")
    return UnixAddress(Path(path))


def _tcp(text: str, *, insecure_tcp: bool, verified: bool) -> TcpAddress:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidArgument(f"invalid host {text!r}: {error}") from error
    if host is None or port is None or parts.path not in ("", "/"):
        raise InvalidArgument(f"invalid host {text!r}: expected tcp://address:port")
    if not (insecure_tcp or verified):
        raise Forbidden(
            f"host {text!r}: whoever connects is root here: --tlsverify serves only clients with a certificate, "
            "--insecure-tcp allows everybody on loopback"
        )
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise InvalidArgument(f"invalid host {text!r}: {host} is not an IP address or localhost") from error
    if not (verified or address.is_loopback):
        raise Forbidden(f"host {text!r}: only loopback addresses are served without --tlsverify")
    return TcpAddress(str(address), port)
