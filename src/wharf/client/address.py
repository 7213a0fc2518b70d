"""Where an engine listens, and a socket to it."""

from __future__ import annotations

# The C module itself: the socket module around it costs 12 ms to import.
import _socket
import os

from wharf.client.errors import EngineUnreachable
from wharf.client.http1 import Wire
from wharf.errors import InvalidArgument
from wharf.lib.places import SYSTEM, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOST = f"unix://{SYSTEM.socket}"


def default_host(environment: Mapping[str, str]) -> str:
    """Return the engine that is meant where none is named: the machine's if the user may talk to it, else their own.

    An engine of the user's own that is there already comes first.
    """
    own = places(os.geteuid(), environment)
    if own is SYSTEM or os.path.exists(own.socket) or not os.access(SYSTEM.socket, os.W_OK):
        return f"unix://{own.socket}"
    return DEFAULT_HOST


class TlsFiles:
    """Paths of PEM files, and whether the engine must be one that ``authority`` signed."""

    __slots__ = ("authority", "certificate", "key", "verify")

    def __init__(self, authority: str, certificate: str, key: str, *, verify: bool) -> None:
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.verify = verify


class Address:
    """A parsed host: ``unix:///path`` or ``tcp://name:port``, the latter by TLS when there are files for it."""

    __slots__ = ("name", "path", "port", "tls", "url")

    def __init__(self, url: str, tls: TlsFiles | None = None) -> None:
        """Parse ``url``.

        Raises:
            InvalidArgument: another scheme, or a part is missing.
        """
        self.url = url
        self.tls = tls
        self.path = self.name = ""
        self.port = 0
        scheme, separator, rest = url.partition("://")
        if separator and scheme == "unix" and rest:
            self.path = rest
        elif separator and scheme in {"tcp", "http"} and rest:
            name, _, port = rest.rstrip("/").rpartition(":")
            if not name or not port.isdigit() or int(port) > 65535:
                raise InvalidArgument(f"invalid host {url}: expected tcp://name:port")
            self.name, self.port = name.strip("[]"), int(port)
        else:
            raise InvalidArgument(f"unable to parse docker host `{url}`: expected unix:///path or tcp://name:port")

    def connect(self) -> Wire:
        """Return a blocking connection, owned by the caller.

        Raises:
            EngineUnreachable: nothing listens there; its cause is the OSError.
        """
        if self.tls is not None and self.name:
            from wharf.client.tls import connect  # noqa: PLC0415  # ssl costs more than all the rest

            return connect(self.url, self.name, self.port, self.tls)
        try:
            return Wire(self._connect())
        except OSError as error:
            reason = error.strerror or os.strerror(error.errno or 0)
            raise EngineUnreachable(f"cannot connect to the engine at {self.url}: {reason.lower()}") from error

    def _connect(self) -> _socket.socket:
        if self.path:
            return _connected(_socket.AF_UNIX, self.path)
        last: OSError | None = None
        for family, _, _, _, where in _socket.getaddrinfo(self.name, self.port, 0, _socket.SOCK_STREAM):
            try:
                found = _connected(family, where)
            except OSError as error:
                last = error
            else:
                found.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
                return found
        raise last or OSError(f"{self.name} has no address")


def _connected(family: int, where: object) -> _socket.socket:
    found = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        found.connect(where)  # type: ignore[arg-type]  # a path or what getaddrinfo gave for this family
    except BaseException:
        found.close()
        raise
    return found
