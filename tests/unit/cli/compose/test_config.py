from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.cli.main import main

APP = """
services:
  web: {image: "web:${TAG:-1}", build: ., depends_on: [db], volumes: ["data:/d"], networks: [front], models: [llm]}
  db: {image: db, environment: {PRICE: "$$5"}}
  debug: {image: dbg, profiles: [dev]}
volumes: {data: {}}
networks: {front: {}}
models: {llm: {model: ai/x}}
"""


@pytest.fixture(autouse=True)
def _app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text(APP)
    monkeypatch.chdir(tmp_path)
    for name in ("TAG", "COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"):
        monkeypatch.delenv(name, raising=False)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(["compose", *words])
    captured = capsys.readouterr()
    assert (code, captured.err) == (0, "")
    return captured.out


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        (["--services"], ["db", "web"]),
        (["--services", "--no-interpolate"], ["db", "debug", "web"]),
        (["--volumes"], ["data"]),
        (["--networks"], ["default", "front"]),
        (["--models"], ["ai/x"]),
        (["--profiles"], ["dev"]),
        (["--images"], ["db", "web:1"]),
        (["--images", "db"], ["db"]),
    ],
)
def test_names_are_listed_one_a_line(capsys: pytest.CaptureFixture[str], flags: list[str], lines: list[str]) -> None:
    assert said(capsys, "config", *flags).splitlines() == lines


def test_model_can_be_loaded_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert "      PRICE: $$5\n" in said(capsys, "-p", "p", "config")
    assert json.loads(said(capsys, "-p", "p", "config", "--format", "json"))["services"]["db"]["environment"] == {
        "PRICE": "$$5"
    }


def test_files_of_variables_may_be_left_unread_and_those_of_labels_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "labels").write_text("A=1\n")
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x, env_file: not-there, label_file: labels}}")

    a = json.loads(said(capsys, "config", "--no-env-resolution", "--format", "json"))["services"]["a"]

    assert (a["labels"], "label_file" in a, a["env_file"][0]["path"]) == ({"A": "1"}, False, f"{tmp_path}/not-there")


def test_services_narrow_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(capsys, "config", "--format", "json", "db"))

    assert (list(document["services"]), "volumes" in document) == (["db"], False)


def test_variables_stay_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    assert "image: web:${TAG:-1}\n" in said(capsys, "config", "--no-interpolate")


def test_variables_and_their_defaults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    head, line = said(capsys, "config", "--variables").splitlines()

    assert (head.split()[:2], line.split()) == (["NAME", "REQUIRED"], ["TAG", "false", "1"])
    assert json.loads(said(capsys, "config", "--variables", "--format", "json"))[0]["default"] == "1"
    assert said(capsys, "config", "--variables", "--format", "yaml").startswith("TAG:\n  required: false\n")


def test_environment_for_interpolation_is_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "7")
    lines = said(capsys, "-p", "p", "config", "--environment").splitlines()

    assert {"TAG=7", "COMPOSE_PROJECT_NAME=p"} <= set(lines)


def test_hashes_are_those_of_the_named_services(capsys: pytest.CaptureFixture[str]) -> None:
    everything = said(capsys, "config", "--hash", "*").splitlines()

    assert [line.split()[0] for line in everything] == ["db", "web"]
    assert said(capsys, "config", "--hash", "web").splitlines() == everything[1:]


def test_text_goes_to_a_file_or_nowhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert said(capsys, "config", "-o", "out.yaml") == ""
    assert (tmp_path / "out.yaml").read_text().startswith("name: ")
    assert said(capsys, "config", "--quiet") == ""


def test_wrong_file_is_told_with_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    imag: x\n")

    assert main(["compose", "config", "-q"]) == 1
    assert (
        f"{tmp_path}/compose.yaml:3: services.web additional properties 'imag' not allowed" in capsys.readouterr().err
    )


def test_warnings_go_to_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: x$NOT_SET}}")

    assert main(["compose", "config", "-q"]) == 0
    assert capsys.readouterr().err == 'WARNING: The "NOT_SET" variable is not set. Defaulting to a blank string.\n'
