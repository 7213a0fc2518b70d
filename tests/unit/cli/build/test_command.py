from __future__ import annotations

import json

import pytest

from wharf.cli.build.command import _answered, _follow, _is_text, _pairs, _ulimits
from wharf.cli.command import Session
from wharf.errors import InvalidArgument

_SESSION = Session("unix:///none", explicit_host=True)


def test_arguments_without_a_value_take_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    monkeypatch.delenv("NOBODYS", raising=False)

    assert json.loads(_pairs(["a=b=c", "OURS", "NOBODYS"], from_environment=True) or "") == {"a": "b=c", "OURS": "1"}
    assert json.loads(_pairs(["l"], from_environment=False) or "") == {"l": ""}
    assert _pairs([], from_environment=True) is None


def test_limits_are_soft_and_hard() -> None:
    assert json.loads(_ulimits(["nofile=1:2", "core=-1"]) or "") == [
        {"Name": "nofile", "Soft": 1, "Hard": 2},
        {"Name": "core", "Soft": -1, "Hard": -1},
    ]
    with pytest.raises(InvalidArgument, match="invalid ulimit argument: nofile"):
        _ulimits(["nofile"])


def test_stdin_is_an_archive_or_a_dockerfile() -> None:
    assert _is_text(b"FROM busybox")
    assert not _is_text(b"\x1f\x8b...")
    assert not _is_text(bytes(257) + b"ustar\0")


def test_a_failed_command_gives_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"stream": "before\n"}, {"errorDetail": {"code": 3, "message": "no"}, "error": "no"}]

    assert _follow(_SESSION, lines, quiet=True) == ("", 3)
    assert capsys.readouterr().err == "before\nno\n"


def test_the_images_id_is_found_among_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert _follow(_SESSION, [{"stream": "x\n"}, {"aux": {"ID": "sha256:1"}}], quiet=False) == ("sha256:1", 0)
    assert capsys.readouterr().out == "x\n"


def test_a_checks_answer_says_how_much_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    aux = {"text": "\nWARNING: X\n", "document": {"warnings": [{}, {}]}, "code": 1}

    assert _answered(_SESSION, [{"aux": aux}], "check", "text") == 1
    assert capsys.readouterr().out == "Check complete, 2 warnings have been found!\n\nWARNING: X\n"
    assert _answered(_SESSION, [{"aux": {"text": "", "document": {"warnings": []}, "code": 0}}], "check", "text") == 0
    assert capsys.readouterr().out == "Check complete, no warnings found.\n"


def test_an_answer_is_shown_as_json_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        _answered(_SESSION, [{"aux": {"text": "t", "document": {"targets": []}, "code": 0}}], "targets", "json") == 0
    )
    assert json.loads(capsys.readouterr().out) == {"targets": []}


def test_an_engine_that_does_not_know_the_question_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert _answered(_SESSION, [], "check", "text") == 1
    assert "does not know --call" in capsys.readouterr().err
