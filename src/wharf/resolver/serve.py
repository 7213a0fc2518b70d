"""The resolver's one loop: sockets of sandboxes, questions under way, the engine's connection; epoll(7)."""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import suppress

from wharf.kernel import sockets
from wharf.resolver import upstream, wire
from wharf.resolver.book import Book, View
from wharf.resolver.upstream import HostServers
from wharf.spec.resolver_messages import MAX_MESSAGE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.spec.resolver_messages import Message

    Handler = Callable[[], None]
    Reply = Callable[[bytes], None]

_TIMEOUT_S = 2.0
_IDLE_S = 10.0
_MOST_UNDER_WAY = 1024
_MOST_STREAMS = 256
_BURST = 32  # datagrams of one sandbox before the others' turn


class _Sandbox:
    __slots__ = ("datagrams", "stream", "view")

    def __init__(self, view: View, datagrams: socket.socket, stream: socket.socket) -> None:
        self.view, self.datagrams, self.stream = view, datagrams, stream


class _Asked:
    """A question that a name server has been asked."""

    __slots__ = ("data", "deadline", "reply", "servers", "sock", "stream")

    def __init__(self, data: bytes, servers: list[str], reply: Reply, *, stream: bool) -> None:
        self.data, self.servers, self.reply, self.stream = data, servers, reply, stream
        self.sock: socket.socket | None = None
        self.deadline = 0.0


class Resolver:
    """All sandboxes of one engine."""

    def __init__(self, listening: socket.socket, host: HostServers | None = None) -> None:
        self._poll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._host = host or HostServers()
        self._sandboxes: dict[str, _Sandbox] = {}
        self._book = Book()
        self._next: Book | None = None
        self._under_way: set[_Asked] = set()
        self._streams: dict[int, tuple[socket.socket, float]] = {}
        self._stopped = False
        self._engines: list[socket.socket] = []
        self.watch(listening, lambda: self._greet(listening))

    def run(self) -> None:
        """Serve until the engine says stop."""
        while not self._stopped:
            busy = self._under_way or self._streams
            happened = self._poll.poll(0.25 if busy else None)
            self._heed_all()
            for fd, _ in happened:
                handler = self._handlers.get(fd)
                if handler:
                    handler()
            if busy:
                self._expire(time.monotonic())

    def watch(self, sock: socket.socket, handler: Handler, events: int = select.EPOLLIN) -> None:
        """Call ``handler`` whenever something happens to ``sock``, until it is dropped."""
        sock.setblocking(False)  # noqa: FBT003  # socket's own signature
        self._handlers[sock.fileno()] = handler
        self._poll.register(sock.fileno(), events)

    def only_read(self, sock: socket.socket) -> None:
        """Watch for what comes alone."""
        self._poll.modify(sock.fileno(), select.EPOLLIN)

    def _drop(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._handlers.pop(sock.fileno(), None)
            self._poll.unregister(sock.fileno())
            sock.close()

    def _greet(self, listening: socket.socket) -> None:
        try:
            engine, _ = listening.accept()
        except OSError:
            return
        self._engines.append(engine)
        self.watch(engine, lambda: None)  # heeded before all others

    def _heed_all(self) -> None:
        """Obey all that the engine has said: what it said before a question came counts for its answer."""
        for engine in list(self._engines):
            while self._heed(engine):
                pass

    def _heed(self, engine: socket.socket) -> bool:
        """Obey the engine's next message; return False when there is none now."""
        try:
            received = sockets.receive(engine, MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            received = None
        if received is None:
            self._engines.remove(engine)
            self._drop(engine)
            return False
        message, fds = received
        if message["op"] == "hello":
            sockets.send(engine, {"pid": os.getpid(), "sandboxes": list(self._sandboxes)})
        else:
            self.obey(message, fds)  # type: ignore[arg-type]  # it is what the engine sends
        return True

    def obey(self, message: Message, fds: list[int]) -> None:
        """Do what the engine says; ``fds`` become ours."""
        book = self._next or self._book
        match message["op"]:
            case "begin":
                self._next = Book()
            case "commit":
                self._book, self._next = book, None
            case "name":
                book.add(
                    message["endpoint"],
                    message["network"],
                    message["container"],
                    message["names"],
                    message["addresses"],
                )
            case "unname":
                book.remove(message["endpoint"])
            case "serve":
                self._serve(message, fds)
            case "close":
                self._close(message["container"])
            case "stop":
                self._stopped = True

    def _serve(self, message: Message, fds: list[int]) -> None:
        container = message["container"]
        view = View(message["networks"], message["links"], message["servers"], forward=message["forward"])
        if not fds:
            if container in self._sandboxes:
                self._sandboxes[container].view = view
            return
        self._close(container)
        datagrams, stream = (socket.socket(fileno=fd) for fd in fds)
        sandbox = self._sandboxes[container] = _Sandbox(view, datagrams, stream)
        self.watch(datagrams, lambda: self._hear(sandbox))
        self.watch(stream, lambda: self._accept(sandbox))

    def _close(self, container: str) -> None:
        if sandbox := self._sandboxes.pop(container, None):
            self._drop(sandbox.datagrams)
            self._drop(sandbox.stream)

    def _hear(self, sandbox: _Sandbox) -> None:
        for number in range(_BURST):
            try:
                data, sender = sandbox.datagrams.recvfrom(4096)
            except OSError:
                return
            if number:  # it may have come since the engine was heeded
                self._heed_all()
            self.answer(sandbox.view, data, lambda answer, to=sender: _send(sandbox.datagrams, answer, to))  # type: ignore[misc]  # a default argument binds the loop's variable

    def answer(self, view: View, data: bytes, reply: Reply, *, stream: bool = False) -> None:
        """Answer one question, now or once a name server has."""
        try:
            query = wire.Query(data)
        except ValueError:
            if refusal := wire.refusal(data):
                reply(refusal)
            return
        address = wire.address_of(query.name) if query.kind == wire.PTR else ""
        if address and (name := self._book.name_of(view, address)):
            reply(wire.pointer(query, name, stream=stream))
        elif (found := self._book.find(view, query.name)) is not None:
            reply(wire.addresses(query, found, stream=stream))
        elif not view.forward or len(self._under_way) >= _MOST_UNDER_WAY:
            reply(wire.failure(query))
        else:
            self._ask(_Asked(data, upstream.servers_of(view.servers, self._host), reply, stream=stream))

    def _ask(self, asked: _Asked) -> None:
        """Ask the next name server; there is none: say so."""
        while asked.servers:
            server = asked.servers.pop(0)
            kind = socket.SOCK_STREAM if asked.stream else socket.SOCK_DGRAM
            try:
                sock = upstream.ask(server, kind)
                if not asked.stream:
                    sock.send(asked.data)
            except OSError:
                continue
            asked.sock, asked.deadline = sock, time.monotonic() + _TIMEOUT_S
            self._under_way.add(asked)
            if asked.stream:
                _Exchange(self, asked, sock)
            else:
                self.watch(sock, lambda: self._told(asked))
            return
        asked.reply(wire.failure(wire.Query(asked.data)))

    def _told(self, asked: _Asked) -> None:
        assert asked.sock
        try:
            data = asked.sock.recv(65535)
        except BlockingIOError:
            return
        except OSError:  # nobody listens there
            self.give_up(asked)
            return
        if data[:2] == asked.data[:2] and len(data) >= 12:
            self.done(asked, data)

    def done(self, asked: _Asked, answer: bytes) -> None:
        """Pass a name server's answer on."""
        self._forget(asked)
        asked.reply(answer)

    def give_up(self, asked: _Asked) -> None:
        """Ask the next name server: this one does not answer."""
        self._forget(asked)
        self._ask(asked)

    def _forget(self, asked: _Asked) -> None:
        self._under_way.discard(asked)
        if asked.sock:
            self._drop(asked.sock)
            asked.sock = None

    def _accept(self, sandbox: _Sandbox) -> None:
        try:
            client, _ = sandbox.stream.accept()
        except OSError:
            return
        if len(self._streams) >= _MOST_STREAMS:
            client.close()
            return
        heard = bytearray()
        self._streams[client.fileno()] = (client, time.monotonic() + _IDLE_S)
        self.watch(client, lambda: self._read(sandbox, client, heard))

    def _read(self, sandbox: _Sandbox, client: socket.socket, heard: bytearray) -> None:
        try:
            data = client.recv(65535)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(client)
            return
        heard += data
        self._heed_all()  # the end of a question may have come since
        while len(heard) >= 2 and len(heard) >= 2 + (length := int.from_bytes(heard[:2], "big")):
            query = bytes(heard[2 : 2 + length])
            del heard[: 2 + length]
            self.answer(sandbox.view, query, lambda answer: _write(client, answer), stream=True)

    def _hang_up(self, client: socket.socket) -> None:
        self._streams.pop(client.fileno(), None)
        self._drop(client)

    def _expire(self, now: float) -> None:
        for asked in [asked for asked in self._under_way if asked.deadline < now]:
            self.give_up(asked)
        for client in [client for client, deadline in self._streams.values() if deadline < now]:
            self._hang_up(client)


class _Exchange:
    """A question by TCP: written once connected, its answer read whole."""

    def __init__(self, resolver: Resolver, asked: _Asked, sock: socket.socket) -> None:
        self._resolver, self._asked, self._sock = resolver, asked, sock
        self._heard = bytearray()
        self._written = False
        resolver.watch(sock, self._go_on, select.EPOLLIN | select.EPOLLOUT)

    def _go_on(self) -> None:
        try:
            if not self._written:
                self._sock.send(len(self._asked.data).to_bytes(2, "big") + self._asked.data)
                self._written = True
                self._resolver.only_read(self._sock)
                return
            data = self._sock.recv(65535)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard += data
        if not data:
            self._resolver.give_up(self._asked)
        elif len(self._heard) >= 2 and len(self._heard) >= 2 + int.from_bytes(self._heard[:2], "big"):
            self._resolver.done(self._asked, bytes(self._heard[2:]))


def _send(sock: socket.socket, data: bytes, to: tuple[str, int]) -> None:
    with suppress(OSError):  # the asker has gone, or reads nothing: DNS asks again
        sock.sendto(data, to)


def _write(client: socket.socket, answer: bytes) -> None:
    with suppress(OSError):  # as above
        client.send(len(answer).to_bytes(2, "big") + answer)


def main() -> None:
    """Serve on the listening socket that is descriptor 3, without any privilege."""
    listening = socket.socket(fileno=3)
    os.chdir("/")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    Resolver(listening).run()
