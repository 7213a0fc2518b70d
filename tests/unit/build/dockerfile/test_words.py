from __future__ import annotations

import pytest

from wharf.build.dockerfile.words import Malformed, Rules, expand

_ENVIRONMENT = {"name": "value", "empty": "", "path": "/a/b/c.tar.gz", "two": "x  y"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$name and ${name}", "value and value"),
        ("\\$name '$name' \"$name\"", "$name $name value"),
        ("${missing:-other} ${empty:-other} ${empty-other}", "other other "),
        ("${name:+set} ${missing:+set} ${empty+set}", "set  set"),
        ("${name:?must be} ${missing:-${name}}", "value value"),
        ("${path#*/} ${path##*/}", "a/b/c.tar.gz c.tar.gz"),
        ("${path%.*} ${path%%.*}", "/a/b/c.tar /a/b/c"),
        ("${path/a/A} ${path//a/A} ${path//\\//-}", "/A/b/c.tar.gz /A/b/c.tAr.gz -a-b-c.tar.gz"),
        ("$1x $. $", "x $. $"),
        ("a\\b 'a\\b' \"a\\b\"", "ab a\\b a\\b"),
    ],
)
def test_variables_are_replaced_and_quotes_removed(text: str, expected: str) -> None:
    assert expand(text, _ENVIRONMENT).text == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'open", "unexpected end of statement while looking for matching single-quote"),
        ('"open', "unexpected end of statement while looking for matching double-quote"),
        ("${name", "unsupported modifier"),
        ("${", "syntax error: missing '}'"),
        ("${}", "syntax error: bad substitution"),
        ("${name:x}", "unsupported modifier (:x) in substitution"),
        ("${missing:?}", "missing: is not allowed to be unset"),
        ("${empty:?}", "empty: is not allowed to be empty"),
        ("${missing?say so}", "missing: say so"),
        ("${name#a\\b}", "invalid pattern (a\\b) in substitution"),
        ("${name:-open", "syntax error: missing '}'"),
    ],
)
def test_what_is_malformed_is_refused_in_buildkits_words(text: str, said: str) -> None:
    with pytest.raises(Malformed) as caught:
        expand(text, _ENVIRONMENT)

    assert said in str(caught.value)


def test_words_split_after_variables_but_not_in_quotes() -> None:
    found = expand('a$two "$two" b', _ENVIRONMENT)

    assert found.words == ("ax", "y", "x  y", "b")


def test_used_and_missing_variables_are_told() -> None:
    found = expand("$name ${other:-x}", _ENVIRONMENT)

    assert (found.used, found.missing) == ({"name"}, {"other"})


def test_rules_keep_what_they_say() -> None:
    assert expand("'a' $no ${no:-x}", {}, Rules(keep_quotes=True, keep_unset=True)).text == "'a' $no ${no:-x}"
    assert expand("it's $name", _ENVIRONMENT, Rules(ignore_quotes=True)).text == "it's value"
    assert expand("a`$b \\x", {}, Rules(escape="`")).text == "a$b \\x"
