from __future__ import annotations

from pathlib import Path

import pytest

from wharf.cli.command import Session
from wharf.cli.compose.globals import take
from wharf.cli.compose.project import flags_of, load_project, request_of
from wharf.compose.load.located import ComposeError


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "app.yaml").write_text("services: {a: {image: x, depends_on: [b]}, b: {image: y}}\nvolumes: {v: {}}")
    monkeypatch.chdir(tmp_path)
    return Session("unix:///nowhere", explicit_host=True)


def test_flags_of_a_session_say_what_to_load(session: Session, tmp_path: Path) -> None:
    session.group_flags, _ = take(["-f", "app.yaml", "-p", "name", "--profile", "p", "--all-resources"])
    request = request_of(session, ["a"])

    assert (request.folder, request.files, request.name) == (str(tmp_path), ["app.yaml"], "name")
    assert (request.profiles, request.services, request.all_resources) == (["p"], ["a"], True)
    assert list(load_project(session).volumes) == ["v"]


def test_project_is_narrowed_to_services(session: Session) -> None:
    session.group_flags, _ = take(["-f", "app.yaml"])

    assert sorted(load_project(session, ["a"]).services) == ["a", "b"]
    assert sorted(load_project(session, ["a"], dependencies=False).services) == ["a"]


def test_without_flags_all_are_at_rest(session: Session) -> None:
    assert flags_of(session).items("file") == []
    with pytest.raises(ComposeError, match="no configuration file provided"):
        load_project(session)
