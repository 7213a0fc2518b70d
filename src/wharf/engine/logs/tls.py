"""Log messages over TLS: ``tcp+tls://`` of the syslog driver, with its options of certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from wharf.engine.logs.options import Address
from wharf.errors import InvalidArgument

_TIMEOUT_S: Final = 10.0


def context_of(options: Mapping[str, str]) -> ssl.SSLContext:
    """Return how to speak TLS as a driver's options say.

    Raises:
        InvalidArgument: a certificate or a key cannot be read, or one is given without the other.
    """
    certificate, key = options.get("syslog-tls-cert", ""), options.get("syslog-tls-key", "")
    if bool(certificate) != bool(key):
        raise InvalidArgument("syslog-tls-cert and syslog-tls-key go together")
    try:
        context = ssl.create_default_context(cafile=options.get("syslog-tls-ca-cert") or None)
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidArgument(f"certificates of the syslog driver: {error}") from error
    if options.get("syslog-tls-skip-verify", "false") == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def keep_alive(sock: socket.socket) -> None:
    """Have the kernel find out within a minute that nobody is there any more, though nothing is sent (tcp(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


class TlsLine:
    """A connection by TLS; as :class:`wharf.engine.logs.sinks.Line`, but nothing comes back on it."""

    datagrams = False

    def __init__(self, address: Address, options: Mapping[str, str]) -> None:
        self._address = address
        self._options = dict(options)
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect unless that is done; OSError when the receiver is not there, or is not who it should be."""
        if self._writer is not None and not self._writer.is_closing():
            return
        context = context_of(self._options)
        async with asyncio.timeout(_TIMEOUT_S):
            _, self._writer = await asyncio.open_connection(self._address.host, self._address.port, ssl=context)
        keep_alive(self._writer.get_extra_info("socket"))

    async def send(self, data: bytes) -> None:
        """Send all of ``data``, to a receiver that may have to be found first."""
        await self.open()
        assert self._writer is not None
        try:
            self._writer.write(data)
            await self._writer.drain()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; idempotent."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(RuntimeError):  # the loop has ended
                writer.close()
