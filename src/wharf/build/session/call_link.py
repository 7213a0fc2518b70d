"""A connection inside a call: messages that carry nothing but bytes (BuildKit, session/grpchijack)."""

from __future__ import annotations

import asyncio

from wharf.rpc.call import Call
from wharf.rpc.methods import decoded
from wharf.rpc.stream import StreamReset
from wharf.spec.buildkit.control_pb2 import BytesMessage


class CallLink:
    """A link over a call of two streams of bytes (:class:`wharf.rpc.link.Link`)."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._closed = False

    async def receive(self) -> bytes:
        """Wait for bytes; b"" when no more come."""
        if self._closed:
            return b""
        message = await self._call.receive()
        return b"" if message is None else decoded(BytesMessage, message).data

    def write(self, data: bytes) -> None:
        """Send bytes, in their turn."""
        if not self._closed:
            self._out.put_nowait(data)

    async def drained(self) -> None:
        """Wait until all is sent.

        Raises:
            ConnectionError: the other side is gone.
        """
        await self._out.join()

    def close(self) -> None:
        """End the connection, once what was written is sent."""
        if not self._closed:
            self._closed = True
            self._out.put_nowait(b"")

    async def send(self) -> None:
        """Send what is written, until the end; run it beside what uses the link."""
        while data := await self._out.get():
            try:
                await self._call.send(BytesMessage(data=data).SerializeToString())
            except StreamReset:
                self._closed = True
            finally:
                self._out.task_done()
            if self._closed:
                break
        while not self._out.empty():  # nobody waits for what cannot be sent
            self._out.get_nowait()
            self._out.task_done()
