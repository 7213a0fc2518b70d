from __future__ import annotations

from pathlib import Path

import pytest

from wharf.cli.main import main


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text("name: app\nservices: {web: {image: busybox, ports: ['80:80']}}")
    monkeypatch.chdir(tmp_path)


def test_graph_is_indented_as_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "alpha", "viz", "--spaces", "--indentation-size", "3", "--ports"]) == 0
    captured = capsys.readouterr()

    assert captured.out.startswith('digraph "app" {\n   layout=dot;\n   "web" [')
    assert "80:80 (tcp, ingress)" in captured.out
    assert captured.err == "viz command is EXPERIMENTAL\n"
    assert main(["compose", "alpha", "viz", "--indentation-size", "-1"]) == 1
    assert "invalid indentation size: -1" in capsys.readouterr().err


def test_containers_to_generate_from_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "alpha", "generate"]) == 1
    assert "at least one container must be specified" in capsys.readouterr().err


def test_dry_run_is_the_flag_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "alpha", "dry-run", "--", "bridge", "transformations", "create", "new"]) == 0
    assert "templates of" in capsys.readouterr().out
    assert main(["compose", "alpha", "dry-run", "--", "up", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage:  wharf compose up ")


@pytest.mark.parametrize(
    ("words", "said"), [(["nope"], "unknown command"), (["port", "web"], "requires 2 arguments")]
)
def test_wrong_command_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "alpha", "dry-run", "--", *words]) == 1
    assert said in capsys.readouterr().err
