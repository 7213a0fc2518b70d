"""One SEQPACKET connection on the event loop: requests with answers, and events that come by themselves."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any

from wharf.errors import Unavailable
from wharf.kernel import sockets
from wharf.kernel.libc import suppress_errno
from wharf.processes.outlet import Outlet
from wharf.spec.shim_messages import Failure
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES

_GONE = (errno.EPIPE, errno.ECONNRESET, errno.EBADF)


class RequestFailed(Exception):
    """The other side could not do it; carries its reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure["message"])
        self.failure = failure


class Channel:
    """Owns its socket; belongs to the event loop it was made in."""

    def __init__(
        self, sock: socket.socket, on_event: Callable[[dict[str, Any]], None], on_end: Callable[[], None]
    ) -> None:
        """Begin to receive.

        Args:
            sock: connected; taken over.
            on_event: called with each datagram that is not an answer.
            on_end: called once when the other side has gone, not after :meth:`close`.
        """
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._outlet = Outlet(sock)
        self._on_event = on_event
        self._on_end = on_end
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._seq = 0
        sock.setblocking(False)  # noqa: FBT003  # socket's own signature
        self._loop.add_reader(sock.fileno(), self._receive)

    @property
    def closed(self) -> bool:
        """Whether nobody is there any more."""
        return self._sock.fileno() < 0

    async def request(self, op: str, fds: Sequence[int] = (), **fields: object) -> dict[str, Any]:
        """Send a request and return its result; the caller keeps its descriptors.

        Raises:
            RequestFailed: the other side refused.
            Unavailable: it has gone.
        """
        if self.closed:
            raise Unavailable("the shim is gone")
        self._seq += 1
        seq = self._seq
        answer = self._answers[seq] = self._loop.create_future()
        try:
            await self._outlet.send({"seq": seq, "op": op, **fields}, fds)
            result: dict[str, Any] = await answer
        except OSError as error:
            if error.errno not in _GONE:
                raise
            raise Unavailable("the shim is gone") from error
        else:
            return result
        finally:
            self._answers.pop(seq, None)

    async def tell(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        """Send a datagram that has no answer; lost when nobody is there any more."""
        with suppress_errno(*_GONE):
            await self._outlet.send(message, fds)

    def tell_now(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        """Send as :meth:`tell` does, without waiting.

        Raises:
            OSError: EAGAIN: the other side is behind; ETOOMANYREFS: too many descriptors are under way.
        """
        with suppress_errno(*_GONE):
            sockets.send(self._sock, message, fds)

    def close(self) -> None:
        """Hang up; idempotent. Requests under way raise Unavailable."""
        if self.closed:
            return
        self._loop.remove_reader(self._sock.fileno())
        self._outlet.let_go()
        self._sock.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Unavailable("the shim is gone"))
                answer.exception()  # its waiter may have been cancelled: then nobody asks

    def _receive(self) -> None:
        while not self.closed:
            try:
                received = sockets.receive(self._sock, MAX_MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:  # reset: the same to us as closed
                received = None
            if received is None:
                self.close()
                self._on_end()
                return
            self._dispatch(received[0])

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "event" in message:
            self._on_event(message)
            return
        answer = self._answers.get(message["seq"])
        if answer is None or answer.done():
            return  # its waiter was cancelled
        if "error" in message:
            answer.set_exception(RequestFailed(message["error"]))
        else:
            answer.set_result(message.get("result", {}))
