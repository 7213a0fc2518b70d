from __future__ import annotations

import pytest

from wharf.build.dockerfile.arguments import Arguments, arguments_of, split_line, words
from wharf.errors import InvalidArgument


def test_flags_are_set_apart_without_their_quotes() -> None:
    line = "COPY --a=\"b c\" --d='e' -- --f g"

    assert split_line(line, "\\") == ("COPY", ("--a=b c", "--d=e"), "--f g")


def test_quotes_keep_blanks_together_and_stay() -> None:
    assert words("a=\"b c\" d\\ e 'f\\' g", "\\") == ['a="b c"', "d\\ e", "'f\\'", "g"]


@pytest.mark.parametrize(
    ("keyword", "text", "expected"),
    [
        ("run", "echo  a  b", Arguments(("echo  a  b",))),
        ("run", '["a", "b"]', Arguments(("a", "b"), json=True)),
        ("run", "['a']", Arguments(("['a']",))),
        ("copy", "a  b", Arguments(("a", "b"))),
        ("env", "a b  c", Arguments(("a", "b  c", ""))),
        ("env", "a=b c=d", Arguments(("a", "b", "=", "c", "d", "="))),
        ("healthcheck", 'CMD ["a"]', Arguments(("CMD", "a"), json=True)),
        ("arg", "a b=c", Arguments(("a", "b=c"))),
        ("nothing", "x", Arguments(("",))),
    ],
)
def test_each_instruction_has_its_own_form(keyword: str, text: str, expected: Arguments) -> None:
    assert arguments_of(keyword, text, "\\") == expected


@pytest.mark.parametrize(
    ("keyword", "text", "said"),
    [
        ("env", "a", "ENV must have two arguments"),
        ("label", "a=b c", 'Syntax error - can\'t find = in "c". Must be of the form: name=value'),
        ("cmd", '["a", 1]', "when using JSON array syntax, arrays must be comprised of strings only"),
    ],
)
def test_malformed_arguments_are_refused_in_buildkits_words(keyword: str, text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        arguments_of(keyword, text, "\\")

    assert str(caught.value) == said
