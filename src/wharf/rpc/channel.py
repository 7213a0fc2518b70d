"""The side that asks: methods of whoever is at the other end of a connection."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message

from wharf.rpc import status
from wharf.rpc.call import ClientCall, Metadata, request_headers
from wharf.rpc.connection import Connection
from wharf.rpc.link import Link
from wharf.rpc.methods import decoded
from wharf.rpc.status import CallFailed
from wharf.rpc.stream import StreamReset

Out = TypeVar("Out", bound=Message)


class Channel:
    """Calls on one connection; :meth:`run` reads it, until it ends."""

    def __init__(self, link: Link) -> None:
        self._connection = Connection(link)

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return not self._connection.closed.is_set()

    async def run(self) -> None:
        """Read until the other side ends; calls under way fail then."""
        await self._connection.run()

    async def closed(self) -> None:
        """Wait for the end of the connection."""
        await self._connection.closed.wait()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def open(self, path: str, metadata: Metadata | None = None) -> ClientCall:
        """Begin a call, to be left with ``async with``.

        Raises:
            CallFailed: the connection is gone.
        """
        try:
            return ClientCall(self._connection.open(request_headers(path, metadata or {})))
        except StreamReset as error:
            raise CallFailed(status.UNAVAILABLE, str(error)) from error

    async def unary(self, path: str, request: Message, answer: type[Out], metadata: Metadata | None = None) -> Out:
        """Call a method that takes one message and answers with one.

        Raises:
            CallFailed: it failed.
        """
        async with self.open(path, metadata) as call:
            await call.send(request.SerializeToString())
            await call.finish()
            return decoded(answer, await call.only())
