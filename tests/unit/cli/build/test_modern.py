from __future__ import annotations

from wharf.build.dockerfile.errors import DockerfileError
from wharf.cli.build.modern import lines_of
from wharf.engine.buildkit.failures import SourceText, described
from wharf.rpc.status import CallFailed


def test_the_lines_that_a_failure_is_about_are_shown() -> None:
    error = described(DockerfileError("unknown instruction: RUM", (2, 2)), SourceText("D", b"FROM a\nRUM x\n"))

    assert "   2 | >>> RUM x\n" in lines_of(error)
    assert lines_of(CallFailed(2, "no details")) == ""
