"""From a definition, a list of encoded operations that name each other by digest, to the edge that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError

from wharf.build.graph.operations import Build, Diff, Merge
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.build.llb.builds import build_of
from wharf.build.llb.execs import environment_of, exec_of
from wharf.build.llb.files import chains_of
from wharf.build.llb.sources import ImageDigests, source_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.platform import normal
from wharf.spec.buildkit.ops_pb2 import Definition, Locations, Op, OpMetadata, Platform

MOST_OPERATIONS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Program:
    """The operations of a definition, by digest; ``target`` says which output of which is wanted, None: nothing."""

    operations: Mapping[str, Op]
    metadata: Mapping[str, OpMetadata]
    lines: Mapping[str, tuple[int, int]]
    target: tuple[str, int] | None

    def images(self) -> list[tuple[str, str]]:
        """Return the images that it starts from, with their platforms: they have to be known to decode it."""
        prefix = "docker-image://"
        return [
            (op.source.identifier.removeprefix(prefix), platform_of(op.platform))
            for op in self.operations.values()
            if op.WhichOneof("op") == "source" and op.source.identifier.startswith(prefix)
        ]


def program_of(definition: Definition) -> Program:
    """Return the operations of a definition.

    Raises:
        InvalidArgument: it is malformed.
    """
    encoded: Sequence[bytes] = getattr(definition, "def")  # a keyword of Python's
    if len(encoded) > MOST_OPERATIONS:
        raise InvalidArgument(f"a definition of more than {MOST_OPERATIONS} operations")
    operations: dict[str, Op] = {}
    last = ""
    for data in encoded:
        last = f"sha256:{hashlib.sha256(data).hexdigest()}"
        try:
            operations[last] = Op.FromString(data)
        except DecodeError as error:
            raise InvalidArgument(f"a malformed operation: {error}") from None
    lines = {digest: _lines(found) for digest, found in definition.Source.locations.items()}
    return Program(operations, dict(definition.metadata), lines, _target(operations, last))


def _target(operations: Mapping[str, Op], last: str) -> tuple[str, int] | None:
    """Return what the last operation points at: it does nothing itself."""
    if not last:
        return None
    final = operations[last]
    if final.WhichOneof("op") is not None:
        return last, 0
    if len(final.inputs) != 1:
        raise InvalidArgument("a definition whose last operation does not name one result")
    return final.inputs[0].digest, final.inputs[0].index


def _lines(locations: Locations) -> tuple[int, int]:
    """Return the first and last line of what made an operation, in the first file that is named."""
    numbers = [line for one in locations.locations for r in one.ranges for line in (r.start.line, r.end.line) if line]
    return (min(numbers), max(numbers)) if numbers else (0, 0)


def decode(program: Program, images: ImageDigests) -> Edge | None:
    """Return the graph of a program; None when it is about nothing.

    Args:
        program: the operations.
        images: what pins each image, by reference and platform.

    Raises:
        InvalidArgument: it is malformed.
        NotImplementedHere: an operation is not supported; with its name.
    """
    if program.target is None:
        return None
    return _Decoding(program, images).edge(*program.target)


@dataclass(slots=True)
class _Decoding:
    program: Program
    images: ImageDigests
    done: dict[str, dict[int, Edge]] = field(default_factory=dict)

    def edge(self, digest: str, index: int) -> Edge:
        """Return an output of an operation; without recursion, for others decide how deep a graph is."""
        pending = [digest]
        under_way: set[str] = set()
        while pending:
            current = pending[-1]
            op = self.program.operations.get(current)
            if op is None:
                raise InvalidArgument(f"a definition without the operation {current}")
            missing = [one.digest for one in op.inputs if one.digest not in self.done]
            if not missing:
                self.done[current] = self._outputs(current, op)
                pending.pop()
                under_way.discard(current)
            elif current in under_way:
                raise InvalidArgument(f"a definition whose operation {current} needs itself")
            else:
                under_way.add(current)
                pending += [one for one in missing if one not in self.done]
        return self._output(digest, index)

    def _output(self, digest: str, index: int) -> Edge:
        outputs = self.done[digest]
        if index not in outputs:
            raise InvalidArgument(f"the operation {digest} has no output {index}")
        return outputs[index]

    def _outputs(self, digest: str, op: Op) -> dict[int, Edge]:
        inputs = [self._output(one.digest, one.index) for one in op.inputs]
        match op.WhichOneof("op"):
            case "source":
                source, about = source_of(op.source, self.images, platform_of(op.platform))
                return {0: self._vertex(digest, op, about, Vertex(source)).output()}
            case "exec":
                operation = exec_of(op.exec, len(inputs))
                vertex = Vertex(
                    operation, tuple(inputs), description=Description(environment=environment_of(op.exec))
                )
                vertex = self._vertex(digest, op, " ".join(op.exec.meta.args), vertex)
                return {mount.output: vertex.output(mount.output) for mount in operation.mounts if mount.output >= 0}
            case "file":
                return {
                    number: self._vertex(digest, op, about, vertex).output()
                    for number, about, vertex in chains_of(op.file, inputs)
                }
            case "merge":
                chosen = [_at(inputs, one.input) for one in op.merge.inputs]
                return {0: self._vertex(digest, op, "merge", Vertex(Merge(), tuple(chosen))).output()}
            case "diff":
                return {0: self._vertex(digest, op, "diff", _diff(op, inputs)).output()}
            case "build":
                path, place = build_of(op.build)
                return {
                    0: self._vertex(digest, op, f"build {path}", Vertex(Build(path), (_at(inputs, place),))).output()
                }
            case kind:
                raise NotImplementedHere(f"operations of the kind {kind} are not supported by this build of wharf")

    def _vertex(self, digest: str, op: Op, about: str, vertex: Vertex) -> Vertex:
        """Return a vertex with what its operation says of it."""
        metadata = self.program.metadata.get(digest, OpMetadata())
        described = Description(
            name=metadata.description.get("llb.customname") or about,
            lines=self.program.lines.get(digest, (0, 0)),
            ignore_cache=metadata.ignore_cache,
            environment=vertex.description.environment,
            group=metadata.progress_group.name,
        )
        return Vertex(vertex.operation, vertex.inputs, platform_of(op.platform), described)


def _at(inputs: Sequence[Edge], index: int) -> Edge:
    if not 0 <= index < len(inputs):
        raise InvalidArgument(f"an operation without the input {index}")
    return inputs[index]


def _diff(op: Op, inputs: Sequence[Edge]) -> Vertex:
    """Return a diff; -1 stands for nothing."""
    places = [op.diff.lower.input, op.diff.upper.input]
    chosen = [_at(inputs, place) for place in places if place != -1]
    lower = -1 if places[0] == -1 else 0
    upper = -1 if places[1] == -1 else lower + 1
    return Vertex(Diff(lower, upper), tuple(chosen))


def platform_of(platform: Platform) -> str:
    """Return a platform as it is spelt; "" for none."""
    if not (platform.OS or platform.Architecture):
        return ""
    return str(normal(platform.OS or "linux", platform.Architecture, platform.Variant))
