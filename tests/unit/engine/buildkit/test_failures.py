from __future__ import annotations

import json

from tests.fakes.builds import converted

from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.graph.vertex import Vertex
from wharf.build.operations.exec import CommandFailed
from wharf.build.solver.errors import StepFailed
from wharf.engine.buildkit.failures import SourceText, described
from wharf.errors import NotFound
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.status_pb2 import Status

TEXT = SourceText("Dockerfile", b"FROM base\nRUN false\n")


def details(error: CallFailed) -> dict[str, object]:
    status = Status.FromString(error.details)
    assert (status.code, status.message) == (error.code, str(error))
    return {one.type_url: json.loads(one.value) for one in status.details}


def _failed_step() -> Vertex:
    target = converted("FROM base\nRUN false\n").target
    assert target is not None
    return target.vertex


def test_a_step_that_failed_is_told_with_its_lines() -> None:
    vertex = _failed_step()
    error = described(StepFailed(vertex, CommandFailed(["/bin/sh", "-c", "false"], 1)), TEXT)

    assert str(error) == 'process "/bin/sh -c false" did not complete successfully: exit code: 1'
    assert details(error) == {
        "github.com/moby/buildkit/errdefs.Vertex+json": {"digest": vertex.digest},
        "github.com/moby/buildkit/errdefs.Source+json": {
            "info": {"filename": "Dockerfile", "data": "RlJPTSBiYXNlClJVTiBmYWxzZQo=", "language": "Dockerfile"},
            "ranges": [{"start": {"line": 2}, "end": {"line": 2}}],
        },
    }


def test_a_malformed_dockerfile_is_told_with_all_of_its_lines() -> None:
    found = details(described(DockerfileError("no", (1, 2)), TEXT))

    assert found["github.com/moby/buildkit/errdefs.Source+json"]["ranges"] == [  # type: ignore[index]
        {"start": {"line": 1}, "end": {"line": 1}},
        {"start": {"line": 2}, "end": {"line": 2}},
    ]


def test_what_the_kernel_says_of_a_file_is_told_in_its_words() -> None:
    error = described(StepFailed(_failed_step(), FileNotFoundError(2, "No such file or directory", "/x")), TEXT)

    assert str(error) == "/x: no such file or directory"


def test_other_errors_are_their_words_alone_and_what_was_described_stays() -> None:
    error = described(NotFound("nothing there"), TEXT)

    assert (str(error), details(error)) == ("nothing there", {})
    assert described(error) is error
