"""What a client is told of a build that failed: the step, and the Dockerfile's lines (BuildKit, solver/errdefs)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
from google.protobuf.json_format import MessageToDict

from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.llb.encode import encoded
from wharf.build.solver.errors import StepFailed
from wharf.engine.buildkit.job import Job
from wharf.errors import InvalidArgument
from wharf.rpc.status import CANCELLED, UNKNOWN, CallFailed, failed
from wharf.spec.buildkit.errdefs_pb2 import Solve
from wharf.spec.buildkit.ops_pb2 import Op
from wharf.spec.buildkit.status_pb2 import Status

# BuildKit's clients read these details as JSON in google.protobuf.Any, each by the name of its type in Go.
_PREFIX = "github.com/moby/buildkit/"


@dataclass(frozen=True, slots=True)
class SourceText:
    """A Dockerfile, to show lines of."""

    filename: str
    data: bytes


def described(error: Exception, source: SourceText | None = None, job: Job | None = None) -> CallFailed:
    """Return an error as BuildKit's clients show it.

    Args:
        error: what has gone wrong.
        source: the Dockerfile, for the lines that the error is about.
        job: whose it is, for what a command that failed has left.
    """
    if isinstance(error, CallFailed):
        return error
    lines, vertex = (0, 0), ""
    if isinstance(error, StepFailed):
        lines, vertex = error.vertex.description.lines, error.vertex.digest
        found = failed(_plain(error.reason))
    else:
        lines = error.lines if isinstance(error, DockerfileError) else lines
        found = failed(error)
    said = str(found)
    code = found.code if found.code == CANCELLED else UNKNOWN  # clients show any other code before the message
    status = Status(code=code, message=said)
    if vertex:
        _add(status, "errdefs.Vertex+json", {"digest": vertex})
    if source is not None and lines != (0, 0):
        _add(status, "errdefs.Source+json", _source(source, lines))
    if job is not None and (left := _left(job, error)) is not None:
        _add(status, "errdefs.Solve+json", MessageToDict(left))
    return CallFailed(code, said, status.SerializeToString())


def _left(job: Job, error: Exception) -> Solve | None:
    """Return what a client can make containers of to see why a command failed; None where nothing is left of it."""
    wreck = job.wreckage.of(error.vertex.digest) if job.wreckage and isinstance(error, StepFailed) else None
    if wreck is None:
        return None
    return Solve(
        op=Op(exec=encoded(wreck.operation)),
        inputIDs=["" if tree is None else job.keep_tree(tree) for tree in wreck.before],
        mountIDs=["" if tree is None else job.keep_tree(tree) for tree in wreck.after],
    )


def _plain(reason: Exception) -> Exception:
    """Return what the kernel says of a step's files as people read it."""
    if isinstance(reason, OSError) and reason.strerror:
        return InvalidArgument(f"{reason.filename or 'a file'}: {reason.strerror.lower()}")
    return reason


def _source(source: SourceText, lines: tuple[int, int]) -> dict[str, object]:
    return {
        "info": {
            "filename": source.filename,
            "data": base64.b64encode(source.data).decode(),
            "language": "Dockerfile",
        },
        "ranges": [{"start": {"line": line}, "end": {"line": line}} for line in range(lines[0], lines[1] + 1)],
    }


def _add(status: Status, name: str, document: dict[str, object]) -> None:
    detail = status.details.add()
    detail.type_url = _PREFIX + name
    detail.value = msgspec.json.encode(document)
