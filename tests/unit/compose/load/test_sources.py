from __future__ import annotations

import pytest
from tests.fakes.compose import MemoryFiles, loaded, project

from wharf.compose.load.located import ComposeError
from wharf.compose.load.sources import Scope, Sources


def test_later_files_lie_over_earlier_ones_and_their_paths_are_the_first_ones() -> None:
    found = project(
        {
            "/app/a.yaml": "services: {web: {image: x, env_file: e}}",
            "/app/b/b.yaml": "services: {web: {build: ./src}}",
            "/app/e": "",
        },
        files=["a.yaml", "b/b.yaml"],
    )

    build = found.services["web"].build
    assert build is not None
    assert build.context == "/app/src"


def test_documents_of_one_file_lie_over_each_other() -> None:
    assert (
        project("services: {a: {image: x}}\n---\nservices: {a: {image: y}, b: {image: z}}\n").services["a"].image
        == "y"
    )


def test_included_file_has_paths_and_variables_of_its_own_and_this_file_lies_over_it() -> None:
    found = project(
        {
            "/app/compose.yaml": "include: [sub/compose.yaml]\nservices: {w: {image: x}, db: {environment: [B=ov]}}",
            "/app/sub/compose.yaml": "services: {db: {image: 'pg:$V', build: ., environment: {B: 1, C: $OUT}}}",
            "/app/sub/.env": "V=15\nOUT=never\n",
        },
        variables={"OUT": "out"},
    )

    db = found.services["db"]
    assert db.build is not None
    assert (db.image, db.environment, db.build.context) == ("pg:15", {"B": "ov", "C": "out"}, "/app/sub")


def test_included_files_may_have_an_override_a_folder_and_env_files() -> None:
    found = project(
        {
            "/app/compose.yaml": "include: [{path: [s/a.yaml, s/b.yaml], project_directory: other, env_file: e.env}]",
            "/app/s/a.yaml": "services: {a: {image: $I, build: .}}",
            "/app/s/b.yaml": "services: {a: {tty: true}}",
            "/app/e.env": "I=img",
        }
    ).services["a"]

    assert found.build is not None
    assert (found.image, found.tty, found.build.context) == ("img", True, "/app/other")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"/app/compose.yaml": "include:\n  - gone.yaml\n"},
            "/app/compose.yaml:2: open /app/gone.yaml: no such file",
        ),
        (
            {"/app/compose.yaml": "include:\n  - {path: a.yaml, env_file: e}\n", "/app/a.yaml": ""},
            "/app/compose.yaml:2: couldn't find env file: /app/e",
        ),
        (
            {"/app/compose.yaml": "include: [a.yaml]\n", "/app/a.yaml": "include: [compose.yaml]\n"},
            "include cycle detected:\n/app/compose.yaml\n include /app/a.yaml\n include /app/compose.yaml",
        ),
        (
            {"/app/compose.yaml": "include: ['https://x/y']\n"},
            "/app/compose.yaml:1: include of a remote resource is not supported: https://x/y",
        ),
        ({"/app/compose.yaml": "- a\n"}, "/app/compose.yaml: top-level object must be a mapping"),
        ({"/app/compose.yaml": "# nothing\n"}, "empty compose file"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_its_place(files: dict[str, str], said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        project(files)

    assert str(raised.value).startswith(said)


_OBSOLETE = (
    "/app/compose.yaml:1: the attribute `version` is obsolete, it will be ignored, "
    "please remove it to avoid potential confusion"
)


def test_warnings_name_what_is_obsolete_and_what_is_not_set() -> None:
    assert loaded("version: '3'\nservices: {a: {image: x$NO}}").warnings == [
        _OBSOLETE,
        'The "NO" variable is not set. Defaulting to a blank string.',
    ]


def test_without_resolving_paths_stay_as_they_are_written() -> None:
    sources = Sources(MemoryFiles({"/f": "services: {a: {build: {dockerfile: d}, env_file: e}}"}), resolved=False)

    assert sources.load(["/f"], Scope("/", {}))["services"] == {
        "a": {"build": {"context": ".", "dockerfile": "d"}, "env_file": [{"path": "e", "required": True}]}
    }


def test_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ComposeError, match="open /gone: no such file or directory"):
        Sources(MemoryFiles({})).text("/gone")
