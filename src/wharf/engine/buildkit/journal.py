"""What a job has told so far, in BuildKit's shape, for whoever asks, however late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from wharf.build.graph.vertex import Edge, Vertex, walk
from wharf.build.solver.progress import Began, Ended, Event, Moved, Wrote
from wharf.lib.readable import readable
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit.ops_pb2 import Position, ProgressGroup, Range

_MOST_LOG_BYTES: Final = 2 << 20
"""Of one step; what is beyond is cut, as BuildKit cuts it."""


class Journal:
    """Takes events; a reader gets all of them, from the first."""

    def __init__(self) -> None:
        self._told: list[pb.StatusResponse] = []
        self._known: dict[str, pb.Vertex] = {}
        self._logged: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._over = False

    def take(self, event: Event) -> None:
        """Take one event of a solver."""
        match event:
            case Began():
                self._vertex(event.vertex).started.CopyFrom(stamp(event.at_ns))
                self._tell_vertex(event.vertex)
            case Ended():
                self._take_end(event)
            case Wrote():
                self._take_log(event)
            case Moved():
                self._tell(pb.StatusResponse(statuses=[_status(event)]))

    def _take_end(self, event: Ended) -> None:
        if event.cached:
            for vertex in walk(event.vertex.output()):
                if vertex.digest != event.vertex.digest and not self._vertex(vertex).HasField("completed"):
                    self._take_end(Ended(vertex, event.at_ns, cached=True))
        told = self._vertex(event.vertex)
        if not told.HasField("started"):
            told.started.CopyFrom(stamp(event.at_ns))
        told.completed.CopyFrom(stamp(event.at_ns))
        told.cached = event.cached
        told.error = readable(event.error)
        self._tell_vertex(event.vertex)

    def _take_log(self, event: Wrote) -> None:
        digest = event.vertex.digest
        before = self._logged.get(digest, 0)
        if before > _MOST_LOG_BYTES:
            return
        self._logged[digest] = before + len(event.data)
        data = event.data
        if before + len(data) > _MOST_LOG_BYTES:
            data = data[: _MOST_LOG_BYTES - before] + b"\n[output clipped, log limit 2MiB reached]\n"
        log = pb.VertexLog(vertex=digest, timestamp=stamp(event.at_ns), stream=event.stream, msg=data)
        self._tell(pb.StatusResponse(logs=[log]))

    def warn(self, warning: pb.VertexWarning) -> None:
        """Take a warning."""
        self._tell(pb.StatusResponse(warnings=[warning]))

    def announce(self, target: Edge) -> None:
        """Tell all that a graph may do, in order, before it is done."""
        vertices = [vertex for vertex in walk(target) if vertex.digest not in self._known]
        for vertex in vertices:
            self._vertex(vertex)
        self._tell(pb.StatusResponse(vertexes=[self._copy(vertex) for vertex in vertices]))

    @classmethod
    def over(cls, told: list[pb.StatusResponse]) -> Journal:
        """Return the journal of a build that has ended, from what it told."""
        journal = cls()
        journal._told, journal._over = told, True
        return journal

    @property
    def told(self) -> list[pb.StatusResponse]:
        """All that was told so far."""
        return self._told

    @property
    def vertices(self) -> list[pb.Vertex]:
        """The steps as they stand."""
        return list(self._known.values())

    def counts(self) -> tuple[int, int, int]:
        """Return how many steps there are, how many are done, and how many of them were known."""
        done = [told for told in self._known.values() if told.HasField("completed")]
        return len(self._known), len(done), sum(told.cached for told in done)

    def close(self) -> None:
        """Tell readers that nothing more comes."""
        self._over = True
        self._changed.set()

    async def read(self) -> AsyncIterator[pb.StatusResponse]:
        """Yield everything, until nothing more comes."""
        at = 0
        while True:
            while at < len(self._told):
                at += 1
                yield self._told[at - 1]
            if self._over:
                return
            changed = self._changed
            await changed.wait()

    def _vertex(self, vertex: Vertex) -> pb.Vertex:
        known = self._known.get(vertex.digest)
        if known is None:
            about = vertex.description
            known = self._known[vertex.digest] = pb.Vertex(
                digest=vertex.digest,
                name=readable(about.name),
                inputs=[edge.vertex.digest for edge in vertex.inputs],
                progressGroup=ProgressGroup(id=about.group, name=about.group) if about.group else None,
            )
        return known

    def _copy(self, vertex: Vertex) -> pb.Vertex:
        copy = pb.Vertex()
        copy.CopyFrom(self._vertex(vertex))
        return copy

    def _tell_vertex(self, vertex: Vertex) -> None:
        self._tell(pb.StatusResponse(vertexes=[self._copy(vertex)]))

    def _tell(self, response: pb.StatusResponse) -> None:
        self._told.append(response)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _status(event: Moved) -> pb.VertexStatus:
    return pb.VertexStatus(
        ID=event.what,
        vertex=event.vertex.digest,
        name=event.what,
        current=event.current,
        total=event.total,
        timestamp=stamp(event.at_ns),
        started=stamp(event.began_ns),
        completed=stamp(event.at_ns) if event.done else None,
    )


def stamp(at_ns: int) -> Timestamp:
    """Return a time."""
    return Timestamp(seconds=at_ns // 1_000_000_000, nanos=at_ns % 1_000_000_000)


def lines_of(lines: tuple[int, int]) -> list[Range]:
    """Return lines as BuildKit tells places; none when they are not known."""
    if lines == (0, 0):
        return []
    return [Range(start=Position(line=line), end=Position(line=line)) for line in range(lines[0], lines[1] + 1)]
