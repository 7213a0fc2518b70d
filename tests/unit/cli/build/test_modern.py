from __future__ import annotations

from base64 import b64encode

from wharf.build.dockerfile.errors import DockerfileError
from wharf.cli.build.modern import lines_of, metadata_of
from wharf.engine.buildkit.failures import SourceText, described
from wharf.rpc.status import CallFailed


def test_the_lines_that_a_failure_is_about_are_shown() -> None:
    error = described(DockerfileError("unknown instruction: RUM", (2, 2)), SourceText("D", b"FROM a\nRUM x\n"))

    assert "   2 | >>> RUM x\n" in lines_of(error)
    assert lines_of(CallFailed(2, "no details")) == ""


def test_descriptors_are_told_as_they_are() -> None:
    told = {"containerimage.descriptor": b64encode(b'{"size":1}').decode(), "containerimage.digest": "sha256:0"}
    assert metadata_of(told) == {"containerimage.descriptor": {"size": 1}, "containerimage.digest": "sha256:0"}
