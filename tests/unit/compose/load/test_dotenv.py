from __future__ import annotations

import pytest

from wharf.compose.load.dotenv import parse_dotenv, parse_raw
from wharf.compose.load.located import ComposeError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB = two\nexport C=3\n", {"A": "1", "B": "two", "C": "3"}),
        ("# note\n\nA=1 # more\nB=a#b\n", {"A": "1", "B": "a#b"}),
        ("A='single $X \\n'\n", {"A": "single $X \\n"}),
        ('A="two\\nlines"\nB="a\nb"\n', {"A": "two\nlines", "B": "a\nb"}),
        ("A=1\nB=${A}2\nC=$MISSING\n", {"A": "1", "B": "12", "C": ""}),
        ("A=${KNOWN}\nB=${NONE:-x}\n", {"A": "k", "B": "x"}),
        ("KNOWN\nNONE\n", {"KNOWN": "k", "NONE": None}),
        ("A: yaml\r\nB=\r\n", {"A": "yaml", "B": ""}),
        ("\ufeffA=bom\n", {"A": "bom"}),
        ('A="esc \\$X"\n', {"A": "esc $X"}),
    ],
)
def test_variables_of_a_file(text: str, found: dict[str, str | None]) -> None:
    assert parse_dotenv(text, "f.env", {"KNOWN": "k"}) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\n=2\n", "f.env:2: unexpected character '=' in variable name"),
        ('A=1\nB="open\n', 'f.env:2: unterminated quoted value "open'),
        ("A B\n", "f.env:1: unexpected text after variable name 'A': 'B'"),
        ('A="x" y\n', "f.env:1: unexpected text after a quoted value: 'y'"),
        ("A=${B\n", "f.env:"),
        ("A=${B:?gone}\n", "required variable B is missing a value: gone"),
    ],
)
def test_what_is_no_variable_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        parse_dotenv(text, "f.env", {})

    assert said in str(raised.value)


def test_raw_files_are_taken_as_written() -> None:
    assert parse_raw("A='1' # x\nB=$A\n# c\nC\n") == {"A": "'1' # x", "B": "$A", "C": None}
