"""What a Dockerfile should not say, and what it offers, as BuildKit's clients read it.

See BuildKit, frontend/subrequests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from wharf.build.checks.rules import Finding
from wharf.build.convert.options import Options
from wharf.engine.buildkit.failures import SourceText
from wharf.engine.buildkit.journal import lines_of
from wharf.engine.builds import calls
from wharf.errors import NotImplementedHere
from wharf.spec.buildkit.control_pb2 import VertexWarning
from wharf.spec.buildkit.ops_pb2 import SourceInfo

_REQUESTS: Final = {"frontend.lint": "lint", "frontend.outline": "outline", "frontend.targets": "targets"}
_DESCRIBE: Final = "frontend.subrequests.describe"
_VERSION: Final = b"1.0.0"


def answered(request: str, text: calls.Text, options: Options, resolve: calls.Resolve) -> dict[str, bytes]:
    """Return what a question about a Dockerfile is answered with, as a result's metadata.

    Raises:
        NotImplementedHere: the question is not known; with its name.
        InvalidArgument: the Dockerfile is malformed.
    """
    if request == _DESCRIBE:
        names = [*_REQUESTS, _DESCRIBE]
        described = [{"Name": name, "Version": _VERSION.decode(), "Type": "rpc", "Opts": None} for name in names]
        return {"result.json": msgspec.json.encode(described), "version": _VERSION}
    if request not in _REQUESTS:
        raise NotImplementedHere(f"unsupported request {request}")
    answer = calls.answer(_REQUESTS[request], text, options, resolve)
    metadata = {
        "result.json": msgspec.json.encode(answer.document),
        "result.txt": answer.text.encode(),
        "version": _VERSION,
    }
    if request == "frontend.lint":
        metadata["result.statuscode"] = str(answer.code).encode()
    return metadata


def warning(found: Finding, text: SourceText, vertex: str) -> VertexWarning:
    """Return a finding as what is told of the step that read the Dockerfile."""
    return VertexWarning(
        vertex=vertex,
        level=1,
        short=f"{found.rule.name}: {found.detail} (line {found.lines[0]})".encode(),
        detail=[found.rule.description.encode()],
        url=found.rule.url,
        info=SourceInfo(filename=text.filename, data=text.data, language="Dockerfile"),
        ranges=lines_of(found.lines),
    )


def warnings(findings: Iterable[Finding], text: SourceText, vertex: str) -> list[VertexWarning]:
    """Return findings as warnings."""
    return [warning(found, text, vertex) for found in findings]
