"""The shim's connections to engines: requests in, answers and events out, as JSON datagrams.

The first connection is the socketpair the spawn request brought; others come through shim.sock and are first told the
state. None of them is needed: a connection that breaks is dropped, and the container goes on.
"""

from __future__ import annotations

import _socket as socket
import errno
import os
import sys

from wharf.kernel import sockets, unix_socket
from wharf.shim import loop as events
from wharf.spec.shim_wire import MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wharf.shim.loop import Loop
    from wharf.spec.shim_messages import Answer, Event, Failure

    Answerer = Callable[[dict[str, Any], list[int]], dict[str, object]]

_BEHIND = 64
_MOST_UNSENT = 4096
_RESERVE_FDS = 32  # for logs that are rotated, commands, and engines that come
_PATIENCE_S = 1.0


class Refused(Exception):
    """A request that cannot be done; carries the failure to answer with."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure["message"])
        self.failure = failure


def refused(message: str) -> Refused:
    """Return the refusal of a request that makes no sense now."""
    return Refused({"kind": "invalid", "message": message})


class Connection:
    """One engine; owns its socket.

    It is asked no more while it reads slowly: a busy engine may ask faster than it takes answers. Events come all the
    same; one that takes none of thousands is dropped, and connects anew if it lives.
    """

    __slots__ = ("_control", "_loop", "_unsent", "sock")

    def __init__(self, control: Control, loop: Loop, sock: socket.socket) -> None:
        self._control = control
        self._loop = loop
        self._unsent: list[dict[str, Any]] = []
        self.sock = sock
        sock.setblocking(False)  # noqa: FBT003  # socket's own signature
        self._watch()

    def send(self, message: Event | Answer) -> None:
        """Send now, or when the engine reads again."""
        self._unsent.append(dict(message))
        if len(self._unsent) > _MOST_UNSENT:
            self.close()
        else:
            self._flush()

    def close(self) -> None:
        """Close; idempotent."""
        if self.sock.fileno() >= 0:
            self._loop.unwatch(self.sock.fileno())
            self.sock.close()
            self._control.lost(self)

    def _watch(self) -> None:
        wanted = (events.OUT if self._unsent else 0) | (0 if self._is_behind else events.IN)
        self._loop.watch(self.sock.fileno(), wanted, self._on_events)

    @property
    def _is_behind(self) -> bool:
        return len(self._unsent) >= _BEHIND

    def _on_events(self, found: int) -> None:
        if found & events.OUT:
            self._flush()
        if found & ~events.OUT and self.sock.fileno() >= 0 and not self._is_behind:
            self._receive()

    def _flush(self) -> None:
        had_unsent = len(self._unsent) > 1
        while self._unsent:
            try:
                sockets.send(self.sock, self._unsent[0])
            except BlockingIOError:
                self._watch()
                return
            except OSError:  # the engine has gone: it will read shim.sock or exit.json when it is back
                self.close()
                return
            del self._unsent[0]
        if had_unsent:
            self._watch()

    def _receive(self) -> None:
        try:
            received = sockets.receive(self.sock, MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except sockets.DescriptorsLost as lost:
            self.send(_too_many(lost.message))
            return
        except ValueError as error:
            sys.stderr.write(f"ignored a malformed request: {error}\n")
            return
        except OSError:  # reset: the same to us as closed
            received = None
        if received is None:
            self.close()
            return
        message, fds = received
        try:
            if fds and max(fds) >= os.sysconf("SC_OPEN_MAX") - _RESERVE_FDS:
                self.send(_too_many(message))
            else:
                self.send(self._control.answer(message, fds))
        finally:
            for fd in fds:  # those that were taken over are no longer in the list
                os.close(fd)


def _too_many(message: dict[str, Any]) -> Answer:
    """Return the answer to a request whose descriptors are too many: the container must not die of its clients."""
    most = os.sysconf("SC_OPEN_MAX")
    why = f"the container has too many clients: its shim may have {most} files open"
    return {"seq": _seq(message), "error": {"kind": "other", "message": why}}


def _seq(message: dict[str, Any]) -> int:
    seq = message.get("seq")
    return seq if isinstance(seq, int) else -1


class Kept:
    """Sockets of published ports that an engine has left with us, by name: they live as long as the container."""

    __slots__ = ("_closed", "_fds")

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}
        self._closed = False

    @property
    def names(self) -> list[str]:
        """What is kept."""
        return list(self._fds)

    def keep(self, message: dict[str, Any], fds: list[int]) -> dict[str, object]:
        """Keep ``fds``, sockets of the first of the message's ``ports``, and let go what is not of those.

        Raises:
            Refused: the container has ended.
        """
        ports: list[str] = message["ports"]
        if self._closed:
            raise refused("the container is not running")
        if len(fds) > len(ports):
            raise ValueError("more sockets than ports")
        brought = ports[: len(fds)]
        for name in self.names:
            if name in brought or name not in ports:
                os.close(self._fds.pop(name))
        self._fds.update(zip(brought, fds, strict=True))
        fds.clear()
        return {}

    def close(self) -> None:
        """Let go all, and keep no more; idempotent."""
        self._closed = True
        while self._fds:
            os.close(self._fds.popitem()[1])


class Control:
    """All connections, and the socket where they come in."""

    __slots__ = ("_answerers", "_connections", "_listener", "_loop", "_state")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        self._connections: list[Connection] = []
        self._answerers: dict[str, Answerer] = {}
        self._state: Callable[[], Event] | None = None

    def take(self, sock: socket.socket) -> None:
        """Take over the connection that the spawn request brought."""
        self._connections.append(Connection(self, self._loop, sock))

    def serve(self, path: str, answerers: dict[str, Answerer], state: Callable[[], Event]) -> None:
        """Begin to take requests and, at the socket ``path``, connections; each goes to the answerer of its ``op``.

        An answerer takes over descriptors by removing them from the list it is given.

        Raises:
            OSError: the socket cannot be bound.
        """
        sockets.bind(self._listener, path)
        self._listener.listen(16)
        self._answerers = answerers
        self._state = state
        self._listen()

    def _listen(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.watch(self._listener.fileno(), events.IN, self._accept)

    def publish(self, event: Event) -> None:
        """Send an event to every engine that listens."""
        for connection in list(self._connections):
            connection.send(event)

    def answer(self, message: dict[str, Any], fds: list[int]) -> Answer:
        """Do a request and return its answer."""
        answer: Answer = {"seq": _seq(message)}
        try:
            answerer = self._answerers.get(message.get("op", ""))
            if answerer is None:
                raise refused(f"unknown request {message.get('op')!r}")
            answer["result"] = answerer(message, fds)
        except Refused as refusal:
            answer["error"] = refusal.failure
        except (KeyError, TypeError, ValueError) as error:
            answer["error"] = {"kind": "invalid", "message": f"malformed request: {error!r}"}
        except OSError as error:
            answer["error"] = {"kind": "other", "message": str(error)}
        return answer

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        if connection in self._connections:
            self._connections.remove(connection)

    def _accept(self, _events: int) -> None:
        assert self._state is not None
        try:
            sock = unix_socket.accept(self._listener)
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}:
                self._loop.unwatch(self._listener.fileno())  # who comes waits: it would be told without an end
                self._loop.later(_PATIENCE_S, self._listen)
                return
            if error.errno in {errno.EAGAIN, errno.ECONNABORTED}:
                return
            raise
        connection = Connection(self, self._loop, sock)
        self._connections.append(connection)
        connection.send(self._state())
