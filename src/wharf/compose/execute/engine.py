"""One engine for many threads: a blocking client has one connection, so each thread has a client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from wharf.client.client import Client
from wharf.client.containers import Containers
from wharf.client.execs import Execs
from wharf.client.images import Images
from wharf.client.networks import Networks
from wharf.client.system import System
from wharf.client.volumes import Volumes


class Engine:
    """The nouns of one engine's API, for the calling thread."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        """Prepare; ``connect`` makes a client, and is called once by each thread that asks for something."""
        self._connect = connect
        self._local = threading.local()
        self._made: list[Client] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def client(self) -> Client:
        """The calling thread's client."""
        found = getattr(self._local, "client", None)
        if not isinstance(found, Client):
            found = self._local.client = self._connect()
            with self._lock:
                self._made.append(found)
        return found

    def close(self) -> None:
        """Close all connections that are at rest."""
        for client in self._made:
            client.close()

    @property
    def containers(self) -> Containers:
        """Its containers."""
        return Containers(self.client)

    @property
    def execs(self) -> Execs:
        """Its execs."""
        return Execs(self.client)

    @property
    def images(self) -> Images:
        """Its images."""
        return Images(self.client)

    @property
    def networks(self) -> Networks:
        """Its networks."""
        return Networks(self.client)

    @property
    def volumes(self) -> Volumes:
        """Its volumes."""
        return Volumes(self.client)

    @property
    def system(self) -> System:
        """The engine itself."""
        return System(self.client)
