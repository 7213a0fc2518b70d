from __future__ import annotations

from wharf.build.describe.targets import as_document, as_text
from wharf.build.dockerfile.stages import read

_FILE = read(
    "FROM --platform=$BUILDPLATFORM debian AS tools\n"
    "# app is what is shipped\nFROM tools AS app\n"
    "FROM scratch\n"
    "# tests run all tests\nFROM app AS tests\n"
)


def test_people_see_a_table_with_the_default_marked() -> None:
    assert as_text(_FILE) == (
        "TARGET            DESCRIPTION\n"
        "tools             \n"
        "app               is what is shipped\n"
        "                  \n"
        "tests (default)   run all tests\n"
    )


def test_programs_see_bases_and_platforms_too() -> None:
    targets = as_document(_FILE)["targets"]

    assert isinstance(targets, list)
    assert targets[0] == {
        "name": "tools",
        "base": "debian",
        "platform": "$BUILDPLATFORM",
        "location": {"ranges": [{"start": {"line": 1}, "end": {"line": 1}}]},
    }
    assert targets[3] == {
        "name": "tests",
        "default": True,
        "description": "run all tests",
        "base": "app",
        "location": {"ranges": [{"start": {"line": 6}, "end": {"line": 6}}]},
    }


def test_a_default_without_a_name_is_called_so() -> None:
    assert as_text(read("FROM scratch\n")).splitlines()[1].rstrip() == "(default)"
