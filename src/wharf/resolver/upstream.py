"""Where questions go that no container's name answers: the name servers, by UDP and by TCP."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLV_CONF = "/etc/resolv.conf"
_PORT = 53


class HostServers:
    """The host's name servers, read anew when its file changes."""

    def __init__(self, path: str = RESOLV_CONF) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._servers: tuple[str, ...] = ()

    def now(self) -> tuple[str, ...]:
        """Return the present name servers."""
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._stamp:
                with open(self._path, encoding="utf-8", errors="replace") as file:
                    self._servers = parse(file.read())
                self._stamp = stamp
        except OSError:
            self._servers = ()
        return self._servers


def parse(text: str) -> tuple[str, ...]:
    """Return the name servers of a resolv.conf(5)."""
    split = (line.split() for line in text.splitlines())
    return tuple(words[1] for words in split if len(words) > 1 and words[0] == "nameserver")


def ask(server: str, kind: int) -> socket.socket:
    """Return a non-blocking socket connected, or connecting, to a name server; each has a port of its own by lot.

    Raises:
        OSError: it is no address, or there is no way to it.
    """
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        with suppress(BlockingIOError):  # a stream that is being connected
            made.connect((server, _PORT))
    except BaseException:
        made.close()
        raise
    return made


def servers_of(own: Sequence[str], host: HostServers) -> list[str]:
    """Return where to ask: a container's own name servers, or the host's; three at most, as resolv.conf(5) has it."""
    return list(own or host.now())[:3]
