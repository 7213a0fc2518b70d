"""TLS in front of the API: a listener that speaks it, and hands plain bytes to a connection inside.

Own code, because asyncio's TLS ends a connection as a whole when the client ends its direction; and a client that has
sent all of a process's input (``docker run -i``) ends just that, and waits for the output.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from wharf.api.connection import ConnectionFactory

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK_BYTES: Final = 64 * 1024
_HANDSHAKE_S: Final = 10.0
_log = logging.getLogger(__name__)


class TlsServer:
    """Serves ``protocols`` by TLS on a listening socket, until :meth:`close`."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, protocols: ConnectionFactory) -> None:
        listener.setblocking(False)  # noqa: FBT003  # Python's own
        self._listener = listener
        self._context = context
        self._protocols = protocols
        self._relays: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept(), name="tls accept")

    def close(self) -> None:
        """Accept no more; who is connected is served on, until the connections inside end."""
        self._accepting.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # out of descriptors, or the client has gone: the listener is as good as before
                _log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(0.1)
                continue
            client.setblocking(False)  # noqa: FBT003
            relay = loop.create_task(self._serve(client), name="tls relay")
            self._relays.add(relay)
            relay.add_done_callback(self._relays.discard)

    async def _serve(self, client: socket.socket) -> None:
        with client:
            channel = _Channel(client, self._context)
            try:
                async with asyncio.timeout(_HANDSHAKE_S):
                    await channel.shake_hands()
                near, far = socket.socketpair()
                with near:
                    near.setblocking(False)  # noqa: FBT003
                    await asyncio.get_running_loop().connect_accepted_socket(
                        self._protocols.of_user(channel.user), far
                    )
                    await channel.relay(near)
            except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
                _log.debug("a TLS connection ended: %s", error)


class _Channel:
    """One client's connection: its TLS state, and bytes to and from the network."""

    def __init__(self, client: socket.socket, context: ssl.SSLContext) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._sending = asyncio.Lock()

    async def shake_hands(self) -> None:
        """Do the handshake.

        Raises:
            OSError: the client does not speak TLS, or shows no certificate that we trust; it is told so.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive()
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                return await self._flush()

    @property
    def user(self) -> str | None:
        """The common name in the client's certificate, of several the last as Go has it; None: it has shown none."""
        certificate = self._tls.getpeercert()
        if not certificate:
            return None
        subject = cast("Sequence[Sequence[tuple[str, str]]]", certificate.get("subject", ()))
        names = [value for part in subject for name, value in part if name == "commonName"]
        return names[-1] if names else ""

    async def relay(self, plain: socket.socket) -> None:
        """Pass bytes between the client and ``plain``, until both directions have ended or one has failed."""
        inward = self._loop.create_task(self._inward(plain))
        try:
            await self._outward(plain)
        finally:
            inward.cancel()
            await asyncio.gather(inward, return_exceptions=True)

    async def _inward(self, plain: socket.socket) -> None:
        try:
            while data := await self._read():
                await self._loop.sock_sendall(plain, data)
        finally:
            plain.shutdown(socket.SHUT_WR)

    async def _outward(self, plain: socket.socket) -> None:
        while data := await self._loop.sock_recv(plain, _CHUNK_BYTES):
            self._tls.write(data)
            await self._flush()
        with suppress(ssl.SSLError):  # the client has not ended its own direction yet, and need not
            self._tls.unwrap()
        await self._flush()

    async def _read(self) -> bytes:
        """Return what the client sent; nothing at its end, be it announced or not."""
        while True:
            try:
                return self._tls.read(_CHUNK_BYTES)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def _receive(self) -> None:
        data = await self._loop.sock_recv(self._client, _CHUNK_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        async with self._sending:  # one at a time: what is taken out first is sent first
            if data := self._outgoing.read():
                await self._loop.sock_sendall(self._client, data)
