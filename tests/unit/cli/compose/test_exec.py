from __future__ import annotations

import pytest

from wharf.cli.compose.exec import COMMANDS, exec_words
from wharf.cli.flags import parse


@pytest.mark.parametrize(
    ("words", "terminal", "expected"),
    [
        ([], True, ["--tty", "--interactive"]),
        ([], False, ["--interactive"]),
        (["-T"], True, ["--interactive"]),
        (["-T=false", "-i=false"], False, ["--tty"]),
        (["-it"], True, ["--tty", "--interactive"]),
        (["-it"], False, ["--interactive"]),
        (["-t=false"], True, ["--interactive"]),
        (["--no-TTY"], True, ["--interactive"]),
        (["-d", "-e", "A=1", "-u", "u", "-w", "/w", "--privileged"], True,
         ["--env=A=1", "--user=u", "--workdir=/w", "--privileged", "--detach"]),
    ],
)  # fmt: skip
def test_flags_become_those_of_exec(words: list[str], terminal: bool, expected: list[str]) -> None:
    values, _ = parse(COMMANDS[0].flags, words)

    assert exec_words(values, terminal=terminal) == expected
