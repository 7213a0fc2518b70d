from __future__ import annotations

import pytest

from wharf.lib.ignore import Matcher, pattern_regex, read_patterns


def test_a_file_is_read_line_by_line() -> None:
    assert read_patterns("\ufeff# no\n\n /a/ \n! b/./c\n*.o\n/\n") == ["a", "!b/c", "*.o", "/"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.o", "a.o", True),
        ("*.o", "d/a.o", False),
        ("**/*.o", "d/e/a.o", True),
        ("**/*.o", "a.o", True),
        ("d", "d/e/f", True),
        ("d/**", "d/e/f", True),
        ("d?", "d1", True),
        ("d[12]/x", "d2/x", True),
        ("d[^12]", "d2", False),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
    ],
)
def test_patterns_match_as_docker_has_it(pattern: str, path: str, *, expected: bool) -> None:
    assert Matcher([pattern]).matches(path) is expected


def test_the_last_pattern_that_matches_decides() -> None:
    matcher = Matcher(["*", "!keep", "keep/not"])

    assert [matcher.matches(path) for path in ("other", "keep/a", "keep/not/x")] == [True, False, True]
    assert matcher.has_exceptions
    assert not Matcher([])


def test_malformed_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="illegal exclusion pattern"):
        Matcher(["!"])
    for pattern in ("[a", "a\\"):
        with pytest.raises(ValueError, match="syntax error in pattern"):
            pattern_regex(pattern)


def test_matchers_with_the_same_patterns_ask_the_same() -> None:
    assert Matcher(["a", "!a/b"]).patterns == Matcher([" a/ ", "!a/b"]).patterns
    assert Matcher(["a"]).patterns != Matcher(["!a"]).patterns
