from __future__ import annotations

import io
from pathlib import Path

import pytest

from wharf.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-p", "x", "--password-stdin"], "cannot specify both --password and --password-stdin"),
        (["--password-stdin"], "--password-stdin option requires --username to be set"),
        ([], "Cannot perform an interactive login from a non TTY device"),
        (["a", "b"], "requires at most 1 argument"),
    ],
)
def test_login_that_cannot_be_says_why(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-H", "unix:///nonexistent/s", "login", *words]) == 1
    assert told in capsys.readouterr().err


def test_logout_forgets(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.json").write_text('{"auths": {"r.example": {"auth": "eDp5"}}}')

    assert main(["logout", "r.example"]) == 0
    assert capsys.readouterr().out == "Removing login credentials for r.example\n"
    assert "r.example" not in (home / "config.json").read_text()
