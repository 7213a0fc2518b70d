"""Whole projects beside what docker compose 2.40 prints of the same files in /srv/app (tests/data/compose)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.fakes.compose import MemoryFiles

from wharf.compose.load.project import Request, load
from wharf.compose.model.project import Project
from wharf.compose.yaml_text import to_yaml

_DATA = Path(__file__).parents[2] / "data/compose"
_FILES = {"everything": [], "merged": ["compose.yaml", "override.yaml"]}


def project_of(case: str) -> Project:
    folder = _DATA / case
    texts = {
        f"/srv/app/{path.relative_to(folder)}": path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("expected.")
    }
    return load(Request("/srv/app", {}, files=_FILES[case]), MemoryFiles(texts)).project


@pytest.mark.parametrize("case", _FILES)
def test_yaml_is_docker_composes_to_the_letter(case: str) -> None:
    printed = to_yaml(project_of(case).printed()).replace("$", "$$")

    assert printed == (_DATA / case / "expected.yaml").read_text()


def test_json_is_docker_composes() -> None:
    printed = json.dumps(project_of("everything").printed(as_json=True)).replace("$", "$$")

    assert json.loads(printed) == json.loads((_DATA / "everything/expected.json").read_text())


def test_what_is_printed_loads_as_the_same_project() -> None:
    first = project_of("merged")
    text = to_yaml(first.printed()).replace("$", "$$")
    again = load(Request("/srv/app", {}), MemoryFiles({"/srv/app/compose.yaml": text})).project

    assert to_yaml(again.printed()) == to_yaml(first.printed())
