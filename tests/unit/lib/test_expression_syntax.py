from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.expression_syntax import At, Choice, Repeat, Sequence, Where, read


def test_an_expression_is_a_tree() -> None:
    tree = read("^a{2,}|\\b")

    assert isinstance(tree, Choice)
    first, second = tree.parts
    assert isinstance(first, Sequence)
    assert isinstance(second, Sequence)
    assert (first.parts[0], second.parts) == (At(Where.BEGIN), (At(Where.BOUNDARY),))
    repeated = first.parts[1]
    assert isinstance(repeated, Repeat)
    assert (repeated.least, repeated.most) == (2, None)


def test_flags_are_of_their_group() -> None:
    tree = read("(?m:^)^")

    assert isinstance(tree, Choice)
    (whole,) = tree.parts
    assert isinstance(whole, Sequence)
    group, outer = whole.parts
    assert (group, outer) == (Choice((Sequence((At(Where.LINE_BEGIN),)),)), At(Where.BEGIN))


def test_what_is_refused_is_told_with_the_expression() -> None:
    with pytest.raises(InvalidArgument, match=r"invalid regular expression a\): unexpected \)"):
        read("a)")
    with pytest.raises(
        NotImplementedHere, match=r"\\p\{Han\} in the regular expression a\\p\{Han\} is not supported"
    ):
        read(r"a\p{Han}")
