"""A relay to a registry that counts the bytes it sends: so that a pull's economy is measured, not believed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_CHUNK = 1 << 16


def _nobody(_size: int) -> None:
    """Tell nobody."""


class Relay:
    """Listens on loopback and passes everything on to ``target`` (host:port), on threads, until :meth:`close`."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.received = 0
        """Bytes that the registry has sent."""
        self._counting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Listen no more, and wait for the connections to end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            upwards = threading.Thread(target=self._pass, args=(client, server), daemon=True)
            upwards.start()
            self._pass(server, client, self._count)
            upwards.join()

    def _count(self, size: int) -> None:
        with self._counting:
            self.received += size

    def _pass(self, source: socket.socket, sink: socket.socket, tell: Callable[[int], None] = _nobody) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                tell(len(data))
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
