from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from tests.fakes.compose import project

from wharf.cli.command import Session
from wharf.cli.compose.trust import ask_about, variable_rows
from wharf.compose.load.located import Map
from wharf.compose.load.project import Loaded, Request
from wharf.errors import Forbidden


def test_variables_are_told_with_where_they_are_from() -> None:
    variables = {"A": ("", False, ""), "B": ("b", False, ""), "C": ("c", True, "")}

    assert variable_rows(variables, {"C": "mine"}) == [
        ["A", "<unset>", "none", "no", ""], ["B", "b", "compose file", "no", "b"],
        ["C", "mine", "environment", "yes", "c"],
    ]  # fmt: skip


@pytest.fixture
def session() -> Session:
    return Session("unix:///nowhere", explicit_host=True)


def asked(  # a table's columns
    session: Session, monkeypatch: pytest.MonkeyPatch, folder: Path, answer: str, *,
    elsewhere: list[str], yes: bool = False, name: str = "",
) -> None:  # fmt: skip
    (folder / "compose.yaml").write_text("services: {a: {image: '${IMAGE:-x}'}}")
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    monkeypatch.setattr(
        "wharf.compose.remote.bring.Remotes.__call__",
        lambda _, name: str(folder / "compose.yaml") if name.startswith("oci:") else None,
    )
    request = Request(folder=str(folder), variables={}, files=[name or "oci://h/a"])
    ask_about(session, request, Loaded(Map(), project("services: {}"), [], elsewhere), yes=yes)


def test_user_is_asked_about_variables(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("y\n", "\n"):
        asked(session, monkeypatch, tmp_path, answer, elsewhere=["oci://h/a"])
    for answer in ("n\n", ""):
        with pytest.raises(Forbidden, match="operation cancelled by user"):
            asked(session, monkeypatch, tmp_path, answer, elsewhere=["oci://h/a"])
    out, err = capsys.readouterr()

    assert 'Your compose stack "oci://h/a" is stored in' in out
    assert "IMAGE" in out
    assert "Do you want to proceed with these variables?" in err


def test_files_that_it_includes_from_elsewhere_need_a_yes(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = ["oci://h/a", "oci://h/b"]
    with pytest.raises(Forbidden):
        asked(session, monkeypatch, tmp_path, "\n", elsewhere=both)
    asked(session, monkeypatch, tmp_path, "y\ny\n", elsewhere=both)
    asked(session, monkeypatch, tmp_path, "", elsewhere=both, yes=True)


def test_files_of_this_machine_are_not_asked_about(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked(session, monkeypatch, tmp_path, "", elsewhere=["oci://h/b"], name="compose.yaml")


def test_a_file_from_elsewhere_is_asked_about_wherever_it_stands(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: '${IMAGE:-x}'}}")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    monkeypatch.setattr(
        "wharf.compose.remote.bring.Remotes.__call__",
        lambda _, name: str(tmp_path / "compose.yaml") if name.startswith("oci:") else None,
    )
    variables = {"COMPOSE_FILE": "compose.yaml;oci://h:5000/a", "COMPOSE_PATH_SEPARATOR": ";"}
    request = Request(folder=str(tmp_path), variables=variables, files=[])

    with pytest.raises(Forbidden, match="cancelled"):
        ask_about(session, request, Loaded(Map(), project("services: {}"), [], ["oci://h:5000/a"]), yes=False)
