from __future__ import annotations

import io
import sys

import pytest
from tests.fakes.compose import project

from wharf.cli.command import Session
from wharf.cli.compose.questions import ask_about_volumes, warn_of_orphans
from wharf.compose.plan.observed import Container, Observed, Resource

APP = project("services: {a: {image: x, volumes: ['vol:/v']}}\nvolumes: {vol: {}}")
SESSION = Session("unix:///nowhere", explicit_host=True)
CHANGED = Observed(volumes={"app_vol": Resource("app_vol", "1", "other", "app")})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "agreed"), [("y\n", {"app_vol"}), ("\n", set()), ("", set())])
def test_user_is_asked_before_data_are_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, agreed: set[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))

    assert ask_about_volumes(SESSION, APP, CHANGED, yes=False) == agreed
    assert "Recreate (data will be lost)?" in capsys.readouterr().err


def test_who_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    assert ask_about_volumes(SESSION, APP, CHANGED, yes=False) == set()
    assert "It is left as it is: --yes makes it anew" in capsys.readouterr().err
    assert ask_about_volumes(SESSION, APP, CHANGED, yes=True) == set()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("owner", "said"),
    [("", "was not created by Docker Compose"), ("other", 'was created for project "other" (expected "app")')],
)
def test_volume_of_another_is_told(capsys: pytest.CaptureFixture[str], owner: str, said: str) -> None:
    ask_about_volumes(SESSION, APP, Observed(volumes={"app_vol": Resource("app_vol", "1", "", owner)}), yes=True)

    assert f'volume "app_vol" already exists but {said}. Use `external: true`' in capsys.readouterr().err


def test_containers_of_services_that_are_no_more_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_orphans(SESSION, APP, Observed((Container("1", "app-old-1", "old", 1, "running"),)))

    assert "found orphan containers (app-old-1)" in capsys.readouterr().err
