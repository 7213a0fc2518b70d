from __future__ import annotations

from wharf.build.graph.operations import Exec
from wharf.build.graph.vertex import Vertex
from wharf.build.operations.exec import CommandFailed
from wharf.build.solver.errors import StepFailed


def test_a_step_says_which_and_why() -> None:
    vertex = Vertex(Exec(("x",)))
    failed = StepFailed(vertex, CommandFailed(["/bin/sh", "-c", "x"], 3))

    assert failed.vertex is vertex
    assert str(failed) == ('failed to solve: process "/bin/sh -c x" did not complete successfully: exit code: 3')
