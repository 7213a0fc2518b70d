from __future__ import annotations

import pytest

from wharf.compose.load.shell_words import split_words
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", ["a", "b"]), ("  a\t b\n", ["a", "b"]), ("'a b' c", ["a b", "c"]), ('"a \\"b" c', ['a "b', "c"]),
        ("a\\ b", ["a b"]), ("x'y'z", ["xyz"]), ("''", [""]), ("", []), ('"$HOME \\x"', ["$HOME \\x"]),
    ],
)  # fmt: skip
def test_words_are_those_of_a_shell(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["'a", '"a', 'a "b'])
def test_open_quote_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="unclosed quote"):
        split_words(text)
