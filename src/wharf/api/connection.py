"""aiohttp's connection, taught that a client may take it over (attach, exec)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from wharf.api.head import TakeoverRequest, split_takeover
from wharf.api.takeover import ClientEnd

if TYPE_CHECKING:
    from collections.abc import Callable


class Connection(RequestHandler):
    """One client's connection.

    A takeover request is set apart from what follows it before the parser sees either, so that none of the client's
    own bytes are lost or read as HTTP. From then on they belong to :attr:`client`; if the request fails, the
    connection answers and closes.
    """

    __slots__ = ("_fresh", "_pending", "client", "on_lost")

    client: ClientEnd | None
    on_lost: Callable[[], object] | None  # called once when the connection goes

    def __init__(self, manager: Server, **options: object) -> None:
        super().__init__(manager, **options)  # type: ignore[arg-type]  # aiohttp's own options, passed through
        self._pending = b""
        self._fresh = True  # nothing was given to the parser yet: bytes may come before it waits for them
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
        """Let the client end its direction alone, once it has taken the connection over."""
        if self.client is None:
            return None
        self.client.feed_eof()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake whoever waits for this client."""
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
        super().data_received(data)


class ConnectionFactory(Server):
    """aiohttp's low-level server, making our connections."""

    def __call__(self) -> RequestHandler:
        """Return the protocol of one more connection."""
        return Connection(self, loop=self._loop, **self._kwargs)
