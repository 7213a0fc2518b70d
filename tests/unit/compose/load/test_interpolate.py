from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharf.compose.load.interpolate import Environment, interpolate, substitute, variables_in
from wharf.compose.load.located import ComposeError, Map, Mark, Override, Seq
from wharf.errors import InvalidArgument

_VARIABLES = {"A": "1", "EMPTY": "", "B": "two"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$A ${A}x", "1 1x"),
        ("$$A $${A}", "$A ${A}"),
        ("${NO:-d} ${NO-d} ${EMPTY:-d} ${EMPTY-d}", "d d d "),
        ("${A:+y} ${EMPTY:+y} ${EMPTY+y} ${NO+y}", "y  y "),
        ("${NO:-${A}$B}", "1two"),
        ("${NO:-${ALSO:-deep}}", "deep"),
        ("${A:?no} ${A?no}", "1 1"),
        ("$ $1 $-", "$ $1 $-"),
        ("$NO", ""),
        ("${EMPTY?no}", ""),
        ("a$", "a$"),
    ],
)
def test_every_modifier(text: str, result: str) -> None:
    assert substitute(text, _VARIABLES.get) == result


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${NO?}", "required variable NO is missing a value"),
        ("${EMPTY:?say $A}", "required variable EMPTY is missing a value: say 1"),
        ("${A", "invalid interpolation format"),
        ("${}", "invalid interpolation format"),
        ("${A!b}", "invalid interpolation format"),
        ("${1}", "invalid interpolation format"),
    ],
)
def test_what_cannot_be_replaced_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match="^" + said.replace("$", "\\$")):
        substitute(text, _VARIABLES.get)


def test_values_are_replaced_and_keys_are_not() -> None:
    tree = Map([("$A", Seq(["$A", 5, None])), ("b", Override(Map([("c", "$B")])))])

    assert interpolate(tree, Environment(_VARIABLES)) == {"$A": ["1", 5, None], "b": Override({"c": "two"})}


def test_variables_asked_for_in_vain_are_remembered_once() -> None:
    environment = Environment({})
    interpolate(Map([("a", "$NO ${NO} ${WITH:-default}")]), environment)

    assert list(environment.missing) == ["NO"]


def test_error_names_the_place_and_what_to_do() -> None:
    tree = Map([("a", Map([("b", "${")], {"b": Mark("f", 3)}))])

    with pytest.raises(ComposeError) as raised:
        interpolate(tree, Environment({}))

    assert str(raised.value).splitlines()[:2] == [
        "f:3: invalid interpolation format for a.b.",
        "You may need to escape any $ with another $.",
    ]


def test_variables_that_a_tree_uses_are_listed() -> None:
    tree = Map([("a", Seq(["${A:-x} $B $$C ${D:?m}", Override("${E+alt${F}}")]))])

    assert variables_in(tree) == {
        "A": ("x", False, ""),
        "B": ("", False, ""),
        "D": ("", True, ""),
        "E": ("", False, "alt${F"),
        "F": ("", False, ""),
    }


@given(st.text())
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    assert substitute(text.replace("$", "$$"), {}.get) == text


@given(st.text(), st.dictionaries(st.sampled_from("ABC"), st.text()))
def test_text_is_replaced_or_refused_and_nothing_else(text: str, variables: dict[str, str]) -> None:
    try:
        result = substitute(text, variables.get)
    except InvalidArgument:
        return
    assert "$" not in text or isinstance(result, str)
    assert "$" in text or result == text


# A text as a tree: plain words, and (name, operator, word) for ${name<operator>word}.
_OPERATORS = ("", "-", ":-", "+", ":+")
_Tree = str | tuple[str, str, list["_Tree"]]
_TREES = st.lists(
    st.recursive(
        st.text("ab /.:", max_size=4),
        lambda below: st.tuples(st.sampled_from("ABC"), st.sampled_from(_OPERATORS), st.lists(below, max_size=3)),
        max_leaves=8,
    ),
    max_size=4,
)


def _written(tree: list[_Tree]) -> str:
    return "".join(
        one if isinstance(one, str) else f"${{{one[0]}{one[1]}{_written(one[2]) if one[1] else ''}}}" for one in tree
    )


def _meant(tree: list[_Tree], variables: dict[str, str]) -> str:
    return "".join(one if isinstance(one, str) else _meant_by(*one, variables) for one in tree)


def _meant_by(name: str, operator: str, word: list[_Tree], variables: dict[str, str]) -> str:
    is_there = bool(variables.get(name)) if ":" in operator else name in variables
    if operator.endswith("+"):
        return _meant(word, variables) if is_there else ""
    return variables[name] if is_there else _meant(word, variables) if operator else ""


@given(_TREES, st.dictionaries(st.sampled_from("ABC"), st.text("xy", max_size=2)))
def test_modifiers_within_modifiers_mean_what_a_shell_means_by_them(
    tree: list[_Tree], variables: dict[str, str]
) -> None:
    assert substitute(_written(tree), variables.get) == _meant(tree, variables)


@given(st.sampled_from("ABC"), st.sampled_from(["?", ":?"]), st.dictionaries(st.sampled_from("ABC"), st.text("x")))
def test_required_variable_is_there_or_is_asked_for(name: str, operator: str, variables: dict[str, str]) -> None:
    text = f"${{{name}{operator}say it}}"

    if variables.get(name) or (operator == "?" and name in variables):
        assert substitute(text, variables.get) == variables[name]
    else:
        with pytest.raises(InvalidArgument, match="say it"):
            substitute(text, variables.get)
