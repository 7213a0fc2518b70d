from __future__ import annotations

import pytest
from tests.fakes.compose import MemoryFiles, loaded, project

from wharf.compose.load.located import ComposeError
from wharf.compose.load.project import Request, load_tree, normalized

ONE = "services: {a: {image: x}}"


def test_default_file_is_looked_for_upwards_with_its_override() -> None:
    found = project(
        {"/top/compose.yaml": ONE, "/top/compose.override.yaml": "services: {a: {image: y}}"}, folder="/top/sub/deep"
    )

    assert (found.services["a"].image, found.working_dir, found.name) == ("y", "/top", "top")
    assert found.files == ["/top/compose.yaml", "/top/compose.override.yaml"]


def test_files_may_be_named_by_the_environment_and_by_the_env_file() -> None:
    texts = {
        "/app/1.yaml": ONE,
        "/app/2.yaml": "services: {b: {image: x}}",
        "/app/.env": "COMPOSE_FILE=1.yaml:2.yaml",
    }

    assert list(project(texts).services) == ["a", "b"]
    assert list(project(texts, variables={"COMPOSE_FILE": "2.yaml"}).services) == ["b"]
    assert list(
        project(texts, variables={"COMPOSE_FILE": "2.yaml,1.yaml", "COMPOSE_PATH_SEPARATOR": ","}).services
    ) == [
        "b",
        "a",
    ]


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ({}, "inside"),
        ({"name": "given"}, "given"),
        ({"variables": {"COMPOSE_PROJECT_NAME": "around", "N": "inside"}}, "around"),
        ({"variables": {"N": ""}}, "app"),
    ],
)
def test_name_is_given_around_in_the_files_or_the_folders(request_: dict[str, object], name: str) -> None:
    assert project({"/app/compose.yaml": "name: ${N-inside}\n" + ONE}, **request_).name == name


def test_name_is_there_for_interpolation() -> None:
    assert project("services: {a: {image: $COMPOSE_PROJECT_NAME}}").services["a"].image == "app"


@pytest.mark.parametrize("name", ["Big", "-a", "a b", "ä"])
def test_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ComposeError, match="invalid project name"):
        project(ONE, name=name)


def test_folder_without_a_usable_name_is_refused() -> None:
    assert normalized("_My App.1") == "myapp1"
    with pytest.raises(ComposeError, match="project name must not be empty"):
        project({"/__/compose.yaml": ONE}, folder="/__")


def test_variables_of_env_files_are_below_those_around() -> None:
    texts = {
        "/app/compose.yaml": "services: {a: {image: '$A$B'}}",
        "/app/.env": "A=1\nB=2\n",
        "/app/e": "A=9\nB=$A\n",
    }

    assert project(texts, variables={"A": "0"}).services["a"].image == "02"
    assert project(texts, env_files=["e"]).services["a"].image == "99"
    assert project(texts, variables={"COMPOSE_ENV_FILES": ".env,e"}).services["a"].image == "91"
    with pytest.raises(ComposeError, match="couldn't find env file: /app/gone"):
        project(texts, env_files=["gone"])


def test_files_elsewhere_make_their_folder_the_projects() -> None:
    texts = {"/x/y.yaml": "services: {a: {image: $V, build: .}}", "/x/.env": "V=1"}
    found = project(texts, files=["../x/y.yaml"])
    moved = project(texts, files=["../x/y.yaml"], project_directory="/z")
    builds = [one.services["a"].build for one in (found, moved)]

    assert [build.context for build in builds if build] == ["/x", "/z"]
    assert (found.services["a"].image, moved.services["a"].image, moved.name) == ("1", "", "z")


def test_text_from_standard_input() -> None:
    assert project({"-": ONE}, files=["-"]).working_dir == "/app"


def test_nothing_to_load_is_told() -> None:
    with pytest.raises(ComposeError, match="no configuration file provided: not found"):
        project({})


def test_tree_without_what_files_leave_out() -> None:
    files = MemoryFiles({"/app/compose.yaml": "services: {a: {image: $X}}"})
    tree, found, warnings = load_tree(Request("/app", {}, normalize=False, interpolate=False), files)

    assert (tree, found.folder, warnings) == ({"services": {"a": {"image": "$X"}}, "name": "app"}, "/app", [])


def test_loading_twice_says_the_same() -> None:
    assert loaded(ONE) == loaded(ONE)
