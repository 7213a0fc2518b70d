from __future__ import annotations

import importlib
from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime import cli
from wharf.runtime.state import Folder

KNOWN: dict[str, type] = {"--bundle": str, "--detach": bool, "--env": list, "--force": bool, "--n": int}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frob"], "flag provided but not defined: --frob"),
        (["-x", "1"], "flag provided but not defined: -x"),
        (["--bundle"], "flag needs an argument: --bundle"),
        (["--n", "x"], 'invalid value "x" for flag --n: not a number'),
    ],
)
def test_unknown_options_are_refused_by_name(words: list[str], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        cli.parse(words, KNOWN)


@pytest.mark.parametrize(
    ("words", "result"),
    [
        ([], ({}, [])),
        (["-b", "/x", "id"], ({"--bundle": "/x"}, ["id"])),
        (["--bundle=/x", "id", "-d"], ({"--bundle": "/x"}, ["id", "-d"])),
        (["-bundle", "/x", "-d"], ({"--bundle": "/x", "--detach": True}, [])),
        (["-e", "A=1", "--env", "B=2"], ({"--env": ["A=1", "B=2"]}, [])),
        (["-f", "--", "-d"], ({"--force": True}, ["-d"])),
        (["--n=-1", "id"], ({"--n": -1}, ["id"])),
    ],
)
def test_options_stand_before_the_arguments(words: list[str], result: tuple[dict[str, Any], list[str]]) -> None:
    assert cli.parse(words, KNOWN) == result


@pytest.mark.parametrize("container_id", ["", ".", "..", "a/b", "../x", "a b", "\0"])
def test_an_id_that_is_no_plain_name_is_refused(container_id: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid container ID format"):
        Folder("/nonexistent", container_id)


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_is_a_function_of_its_module(command: str) -> None:
    module, function, _ = cli.COMMANDS[command]

    assert callable(getattr(importlib.import_module(f"wharf.runtime.commands.{module}"), function))
