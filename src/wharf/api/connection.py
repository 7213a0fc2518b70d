"""aiohttp's connection, taught that a client may take it over (attach, exec)."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from wharf.api.head import TakeoverRequest, split_takeover, without_repeats
from wharf.api.takeover import ClientEnd, HangupWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.streams import StreamReader

log = logging.getLogger(__name__)


class Connection(RequestHandler):
    """One client's connection.

    A takeover request is set apart from what follows it before the parser sees either, so that none of the client's
    own bytes are lost or read as HTTP. From then on they belong to :attr:`client`; if the request fails, the
    connection answers and closes.
    """

    __slots__ = ("_fresh", "_hangup", "_pending", "body", "client", "on_lost", "user")

    client: ClientEnd | None
    on_lost: Callable[[], object] | None  # called once when the connection goes
    body: StreamReader | None  # of the request that came last to be answered
    user: str | None  # the common name in the client's certificate; None: it has shown none

    def __init__(self, manager: Server, **options: object) -> None:
        super().__init__(manager, **options)  # type: ignore[arg-type]  # aiohttp's own options, passed through
        self._pending = b""
        self._fresh = True  # nothing was given to the parser yet: bytes may come before it waits for them
        self._hangup: HangupWatch | None = None
        self.body = None
        self.user = None
        self.client = None
        self.on_lost = None

    def data_received(self, data: bytes) -> None:
        """Route what came: to whoever took the connection over, else to the parser."""
        if self.client is not None:
            self.client.feed(data)
        elif self._is_idle():
            self._next_request(self._pending + data)
        else:
            super().data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio: True keeps the other direction open
        """Let the client end its direction alone: once it has taken the connection over, or asked all it wants."""
        if self.client is not None:
            self.client.feed_eof()
            return True
        peer = None if self.transport is None else self.transport.get_extra_info("socket")
        if peer is None or peer.family != socket.AF_UNIX or not self._is_answering():
            return None  # on TCP nobody would notice when the client goes for good
        self._hangup = HangupWatch(peer.fileno(), self.force_close)
        self.close()  # once what was asked is answered
        return True

    def _is_answering(self) -> bool:
        """Whether whole requests are being answered, or wait for it."""
        bodies = [body for _, body in self._messages] + ([] if self.body is None else [self.body])
        return not self._is_idle() and all(body.is_eof() for body in bodies)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake whoever waits for this client."""
        if self._hangup is not None:
            self._hangup.close()
        if self.client is not None:
            self.client.lose()
        if self.on_lost is not None:
            self.on_lost()
            self.on_lost = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Note that the client reads slowly."""
        super().pause_writing()
        if self.client is not None:
            self.client.set_writable(False)

    def resume_writing(self) -> None:
        """Note that the client has caught up."""
        super().resume_writing()
        if self.client is not None:
            self.client.set_writable(True)

    def log_exception(self, *told: object, **options: object) -> None:
        """Log what a client sent that is no HTTP as what it is: no fault of ours, and nothing to trace."""
        error = options.get("exc_info")
        if isinstance(error, HttpProcessingError):
            log.debug("a request is no HTTP: %s", error.message)
        else:
            super().log_exception(*told, **options)

    def _is_idle(self) -> bool:
        """Whether the next byte begins a request: aiohttp waits for one, and has no part of one."""
        return self._fresh or (self._waiter is not None and not self._waiter.done())

    def _next_request(self, data: bytes) -> None:
        found = split_takeover(data)
        if found is True:
            self._pending = data
            return
        self._pending, self._fresh = b"", False
        if isinstance(found, TakeoverRequest) and isinstance(self.transport, asyncio.Transport):
            self.client = ClientEnd(self.transport, found.rest, upgrade=found.upgrade)
            data = found.request
        super().data_received(without_repeats(data))


class ConnectionFactory(Server):
    """aiohttp's low-level server, making our connections."""

    def __call__(self) -> RequestHandler:
        """Return the protocol of one more connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def of_user(self, user: str | None) -> Callable[[], RequestHandler]:
        """Return what makes the protocol of a connection whose client is known, by its certificate."""

        def made() -> RequestHandler:
            connection = Connection(self, loop=self._loop, **self._kwargs)
            connection.user = user
            return connection

        return made
