"""TLS to an engine on tcp://: whom we trust, and who we are."""

from __future__ import annotations

import os
import select
import socket
import ssl

from wharf.client.address import TlsFiles
from wharf.client.errors import EngineUnreachable
from wharf.client.http1 import Wire
from wharf.errors import InvalidArgument


class TlsWire(Wire):
    """A connection by TLS."""

    takes_files = False

    def __init__(self, connected: ssl.SSLSocket) -> None:
        super().__init__(connected)
        self._tls = connected

    def pending(self) -> bool:
        """Whether bytes wait that poll(2) does not see: those that TLS has taken off the socket already."""
        return super().pending() or self._tls.pending() > 0

    def has_news(self) -> bool:
        """Whether bytes or the end wait on the socket."""
        poll = select.poll()
        poll.register(self._tls, select.POLLIN)
        return bool(poll.poll(0))

    def send_some(self, data: bytes) -> int:
        """Send what the other side takes at once: TLS knows no flags, but sockets that do not block."""
        patience = self._tls.gettimeout()
        self._tls.settimeout(0.0)
        try:
            return self._tls.send(data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        finally:
            self._tls.settimeout(patience)

    def finish_sending(self) -> None:
        """End our direction alone, which Python's TLS cannot: the connection ends it below TLS."""
        socket.socket.shutdown(self._tls, socket.SHUT_WR)


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return how to speak TLS with an engine.

    Raises:
        InvalidArgument: a file is missing or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if files.verify:
            context.load_verify_locations(files.authority)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # asked for: --tls without --tlsverify
        if os.path.exists(files.certificate) or files.verify:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        told = f"{files.authority}, {files.certificate}, {files.key}"
        raise InvalidArgument(f"TLS cannot be set up from {told}: {error.strerror or error}") from error
    return context


def connect(url: str, name: str, port: int, files: TlsFiles) -> TlsWire:
    """Return a connection to an engine that has shown who it is.

    Raises:
        EngineUnreachable: nothing listens, or it is not whom we trust.
        InvalidArgument: our own files cannot be used.
    """
    context = client_context(files)
    try:
        plain = socket.create_connection((name, port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return TlsWire(context.wrap_socket(plain, server_hostname=name))
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineUnreachable(f"cannot connect to the engine at {url}: {reason.lower()}") from error
