"""The nodes of the graph: an operation, what it works on, and a digest of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from wharf.build.graph.operations import Operation


@dataclass(frozen=True, slots=True)
class Description:
    """What people are told of a vertex; no part of its digest."""

    name: str = ""
    lines: tuple[int, int] = (0, 0)  # of the Dockerfile
    ignore_cache: bool = False
    environment: tuple[str, ...] = ()  # given to the command without counting: proxies
    group: str = ""  # vertices of one group are one step to people


@dataclass(frozen=True, slots=True, eq=False)
class Vertex:
    """One operation in its place. Compare by :attr:`digest`."""

    operation: Operation
    inputs: tuple[Edge, ...] = ()
    platform: str = ""
    description: Description = Description()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", f"sha256:{hashlib.sha256(canonical(self)).hexdigest()}")

    def output(self, index: int = 0) -> Edge:
        """Return one of its outputs."""
        return Edge(self, index)


@dataclass(frozen=True, slots=True)
class Edge:
    """One output of a vertex."""

    vertex: Vertex
    index: int = 0

    @property
    def name(self) -> str:
        """Digest and index: names what comes out."""
        return f"{self.vertex.digest}#{self.index}"


def canonical(vertex: Vertex) -> bytes:
    """Return the bytes that stand for a vertex: the same for the same operation on the same inputs."""
    return msgspec.json.encode(
        (type(vertex.operation).__name__, vertex.operation, vertex.platform, [edge.name for edge in vertex.inputs]),
        order="sorted",
    )


def walk(edge: Edge) -> Iterator[Vertex]:
    """Yield each vertex that ``edge`` needs, once, inputs before what needs them."""
    seen: set[str] = set()
    pending: list[tuple[Vertex, bool]] = [(edge.vertex, False)]
    while pending:
        vertex, done = pending.pop()
        if done:
            yield vertex
        elif vertex.digest not in seen:
            seen.add(vertex.digest)
            pending.append((vertex, True))
            pending.extend((one.vertex, False) for one in reversed(vertex.inputs))


def printed(edge: Edge) -> str:
    """Return the graph as text: one line a vertex, inputs before what needs them."""
    numbers: dict[str, int] = {}
    lines = []
    for vertex in walk(edge):
        numbers[vertex.digest] = len(numbers) + 1
        inputs = ",".join(f"#{numbers[one.vertex.digest]}" for one in vertex.inputs)
        lines.append(
            f"#{len(numbers)} [{inputs}] {type(vertex.operation).__name__} {vertex.description.name}".rstrip()
        )
    return "\n".join(lines) + "\n"
