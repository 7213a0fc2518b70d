from __future__ import annotations

import re
import string

import pytest

from wharf.lib.characters import NAMED, cases, category, folded, outside


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("alnum", r"[0-9A-Za-z]"), ("cntrl", r"[\x00-\x1f\x7f]"), ("punct", r"[!-/:-@[-`{-~]"), ("graph", "[!-~]"),
     ("print", "[ -~]"), ("space", r"[\t-\r ]"), ("xdigit", "[0-9A-Fa-f]"), ("word", "[0-9A-Za-z_]")],
)  # fmt: skip
def test_named_classes_are_those_of_ascii(name: str, pattern: str) -> None:
    assert {one for one in map(chr, range(300)) if one in NAMED[name]} == {
        one for one in map(chr, range(300)) if re.fullmatch(pattern, one)
    }


def test_categories_are_unicodes() -> None:
    upper, letter, any_ = category("Lu"), category("L"), category("Any")
    assert upper is not None
    assert letter is not None
    assert any_ is not None
    assert ([upper(one) for one in "Éé1"], [letter(one) for one in "Éé1"]) == (
        [True, False, False],
        [True, True, False],
    )
    assert any_("\u0378")
    control = category("C")
    assert control is not None
    assert (control("\0"), control("\u0378")) == (True, False)  # the latter is nothing
    assert (category("Greek"), category("X"), category("Cn")) == (None, None, None)


def test_cases_are_single_characters() -> None:
    assert cases("s") == {"s", "S"}
    assert cases("\u017f") == {"\u017f", "S", "s"}
    assert cases("ß") == {"ß"}
    assert cases("1") == {"1"}
    assert folded(string.ascii_lowercase.__contains__)("K")
    assert outside(folded("k".__eq__))("x")
    assert not outside(folded("k".__eq__))("\u212a")
