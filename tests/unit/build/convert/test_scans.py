from __future__ import annotations

import pytest
from tests.fakes.builds import converted

STAGES = """
FROM scratch AS file
{file}
COPY a /file
FROM scratch AS base
COPY --from=file /file /foo
FROM scratch AS unused
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY b /bar
FROM base
{last}
"""


def scanned(text: str, **arguments: str) -> list[str]:
    return sorted(converted(text, build_args=arguments).scans)


@pytest.mark.parametrize(
    ("shared", "file", "last", "arguments", "names"),
    [
        ("", "", "", {}, []),
        ("", "", "", {"BUILDKIT_SBOM_SCAN_STAGE": "true"}, []),  # nothing declares it
        ("", "ARG BUILDKIT_SBOM_SCAN_STAGE=1", "", {}, ["file"]),
        ("", "ARG BUILDKIT_SBOM_SCAN_STAGE=true", "", {"BUILDKIT_SBOM_SCAN_STAGE": "false"}, []),
        ("ARG BUILDKIT_SBOM_SCAN_STAGE=true", "", "", {}, ["base", "file"]),
        ("ARG BUILDKIT_SBOM_SCAN_STAGE=true", "ARG BUILDKIT_SBOM_SCAN_STAGE=false", "", {}, ["base"]),
        ("ARG BUILDKIT_SBOM_SCAN_STAGE", "", "", {"BUILDKIT_SBOM_SCAN_STAGE": "base,x"}, ["base"]),
        ("ARG BUILDKIT_SBOM_SCAN_CONTEXT=true", "", "", {}, ["context"]),
        ("", "", "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true", {}, ["context"]),
        ("", "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true", "", {}, []),  # the target's word counts
        ("", "", "ARG BUILDKIT_SBOM_SCAN_STAGE=true", {}, []),  # it is scanned anyway
    ],
)
def test_arguments_ask_for_stages_that_are_built_and_for_the_context(
    shared: str, file: str, last: str, arguments: dict[str, str], names: list[str]
) -> None:
    assert scanned(shared + STAGES.format(file=file, last=last), **arguments) == names


def test_a_stage_begun_with_another_has_its_arguments() -> None:
    text = (
        "FROM scratch AS a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nFROM a AS b\nCOPY x /\nFROM scratch\nCOPY --from=b / /"
    )
    assert scanned(text) == ["a", "b"]


def test_what_asks_for_a_scan_is_no_variable_of_commands() -> None:
    found = converted("FROM scratch\nARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nLABEL a=$BUILDKIT_SBOM_SCAN_CONTEXT")
    assert found.image["config"]["Labels"] == {"a": ""}


@pytest.mark.parametrize(
    "text", ["FROM scratch\nCOPY a /", "FROM scratch\nARG BUILDKIT_SBOM_SCAN_CONTEXT=\nCOPY a /"]
)
def test_a_stage_without_a_name_is_not_asked_for_by_nothing(text: str) -> None:
    assert scanned(text) == []
