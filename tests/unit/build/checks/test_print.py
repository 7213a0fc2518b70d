from __future__ import annotations

from wharf.build.checks.check import Report
from wharf.build.checks.print import as_document, as_text
from wharf.build.checks.rules import finding
from wharf.build.checks.settings import Settings
from wharf.build.dockerfile.errors import DockerfileError

_SOURCE = "FROM a AS B\nCOPY\n"
_REPORT = Report(
    (finding("StageNameCasing", "Stage name 'B' should be lowercase", (1, 1)),),
    Settings(),
    DockerfileError("COPY requires at least two arguments", (2, 2)),
)


def test_people_see_the_place_of_each_finding() -> None:
    assert as_text(_REPORT, "Dockerfile", _SOURCE) == (
        "\nWARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/\n"
        "Stage name 'B' should be lowercase\n"
        "Dockerfile:1\n--------------------\n   1 | >>> FROM a AS B\n   2 |     COPY\n   3 |     \n"
        "--------------------\n"
        "\nCOPY requires at least two arguments\n"
        "Dockerfile:2\n--------------------\n   1 |     FROM a AS B\n   2 | >>> COPY\n   3 |     \n"
        "--------------------\n"
    )


def test_programs_read_a_document() -> None:
    assert as_document(_REPORT, "Dockerfile", _SOURCE) == {
        "warnings": [
            {
                "ruleName": "StageNameCasing",
                "description": "Stage names should be lowercase",
                "url": "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/",
                "detail": "Stage name 'B' should be lowercase",
                "location": {"ranges": [{"start": {"line": 1}, "end": {"line": 1}}]},
            }
        ],
        "sources": [{"filename": "Dockerfile", "language": "Dockerfile", "data": "RlJPTSBhIEFTIEIKQ09QWQo="}],
        "buildError": {
            "message": "COPY requires at least two arguments",
            "location": {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]},
        },
    }
