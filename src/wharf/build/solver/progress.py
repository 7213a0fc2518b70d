"""What a build tells while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from wharf.build.graph.vertex import Vertex


@dataclass(frozen=True, slots=True)
class Began:
    """A vertex is worked on."""

    vertex: Vertex
    at_ns: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """A vertex's command has written; stream 1 or 2."""

    vertex: Vertex
    at_ns: int
    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """A vertex is done; ``result`` names what came of it, "" for nothing."""

    vertex: Vertex
    at_ns: int
    cached: bool = False
    error: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """Bytes of a vertex have moved: a transfer, of which ``what`` tells people."""

    vertex: Vertex
    at_ns: int
    what: str
    current: int
    total: int  # 0: nobody knows
    began_ns: int
    done: bool = False


Event: TypeAlias = Began | Wrote | Ended | Moved
Listener = Callable[[Event], None]


@dataclass(slots=True)
class Telling:
    """How a step ends."""

    error: str = ""
    result: str = ""


class Progress:
    """Tells one listener; knows the time."""

    def __init__(self, listener: Listener, time_ns: Callable[[], int] = time.time_ns) -> None:
        self._listener = listener
        self.time_ns = time_ns

    def began(self, vertex: Vertex) -> None:
        """Tell that a vertex is worked on."""
        self._listener(Began(vertex, self.time_ns()))

    def wrote(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Tell what a vertex's command has written."""
        self._listener(Wrote(vertex, self.time_ns(), stream, data))

    def moved(self, vertex: Vertex, what: str, current: int, began_ns: int, *, done: bool = False) -> None:
        """Tell how far a transfer is."""
        self._listener(Moved(vertex, self.time_ns(), what, current, 0, began_ns, done))

    def ended(self, vertex: Vertex, *, cached: bool = False, error: str = "", result: str = "") -> None:
        """Tell that a vertex is done."""
        self._listener(Ended(vertex, self.time_ns(), cached, error, result))

    @contextmanager
    def telling(self, vertex: Vertex) -> Iterator[Telling]:
        """Tell that a step begins, and how it has ended."""
        self.began(vertex)
        told = Telling()
        try:
            yield told
        except BaseException as error:
            self.ended(vertex, error=str(error) or "context canceled")
            raise
        self.ended(vertex, error=told.error, result=told.result)
