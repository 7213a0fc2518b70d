from __future__ import annotations

import pytest

from wharf.cli.compose.globals import take
from wharf.cli.flags import UsageError, one_of
from wharf.cli.main import main
from wharf.errors import InvalidArgument


def test_flags_before_the_command_are_taken_and_the_rest_is_left() -> None:
    values, rest = take(["-f", "a", "--file=b", "-p", "x", "up", "-d", "--profile", "y"])

    assert (values.items("file"), values.text("project-name"), values.items("profile")) == (["a", "b"], "x", [])
    assert rest == ["up", "-d", "--profile", "y"]


@pytest.mark.parametrize("words", [["--nope", "up"], ["--ansi", "loud", "up"], ["--parallel", "x", "up"]])
def test_wrong_flag_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        take(words)
    assert main(["compose", *words]) == 125
    assert "Run 'wharf compose --help' for more information" in capsys.readouterr().err


def test_one_of_several_words() -> None:
    one_of(["a", "b"])("a")
    with pytest.raises(InvalidArgument, match="choose one of a, b"):
        one_of(["a", "b"])("c")


@pytest.mark.parametrize("words", [["--help"], ["-h", "config"], []])
def test_help_names_commands_and_flags(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", *words]) == 0
    captured = capsys.readouterr()

    assert "  config " in captured.out + captured.err
    assert "--project-directory string" in captured.out + captured.err


def test_flags_of_old_are_taken_for_those_in_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    values, rest = take(["--no-ansi", "--workdir", "/app", "--verbose", "up"], {})

    assert (values.text("ansi"), values.text("project-directory"), rest) == ("never", "/app", ["up"])
    assert capsys.readouterr().err.splitlines() == [
        "option '--no-ansi' is DEPRECATED! Please use '--ansi' instead.",
        "option '--workdir' is DEPRECATED! Please use '--project-directory' instead.",
        "option '--verbose' has no effect.",
    ]
    with pytest.raises(UsageError, match='cannot specify DEPRECATED "--workdir" and "--project-directory"'):
        take(["--workdir", "a", "--project-directory", "b", "up"], {})
    assert take(["--no-ansi=false", "up"], {})[0].text("ansi") == "auto"


def test_variables_stand_in_for_flags_that_are_not_given() -> None:
    environment = {"COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain", "COMPOSE_PARALLEL_LIMIT": "3"}
    values, _ = take(["--ansi", "always", "up"], environment)

    assert (values.text("ansi"), values.text("progress"), values.number("parallel")) == ("always", "plain", 3)
    with pytest.raises(UsageError):
        take(["up"], {"COMPOSE_PARALLEL_LIMIT": "many"})


def test_dry_run_may_stand_after_a_group_within_compose() -> None:
    values, rest = take(["bridge", "--dry-run", "transformations", "create", "--dry-run", "x"], {})

    assert (values.on("dry-run"), rest) == (True, ["bridge", "transformations", "create", "--dry-run", "x"])
    assert take(["--dry-run", "alpha", "--dry-run=false", "viz"], {})[0].on("dry-run") is False
    assert take(["bridge", "--help"], {})[1] == ["bridge", "--help"]
    with pytest.raises(UsageError, match="unknown flag: --nope"):
        take(["alpha", "--nope", "viz"], {})


@pytest.mark.parametrize("words", [["alpha"], ["bridge", "-h"], ["bridge", "transformations", "--help"]])
def test_groups_within_compose_have_help_of_their_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", *words]) == 0
    captured = capsys.readouterr()

    names = [word for word in words if not word.startswith("-")]
    assert (captured.out + captured.err).startswith(f"Usage:  wharf compose {' '.join(names)} [OPTIONS] COMMAND")
    assert main(["compose", *names, "nope"]) == 1
    assert f"unknown command: wharf compose {' '.join(names)} nope" in capsys.readouterr().err
