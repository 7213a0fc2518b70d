from __future__ import annotations

import pytest

from wharf.cli.template import render
from wharf.cli.template_functions import show
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<no value>"),
        (True, "true"),
        ({"b": 1, "a": [1, 2]}, "map[a:[1 2] b:1]"),
        (["a", None], "[a <no value>]"),
    ],
)
def test_values_are_shown_as_go_shows_them(value: object, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    "template", ["{{slice .a 5 9}}", "{{len 3}}", "{{lt 1 `a`}}", "{{pad .a `b` 1}}", "{{index 3 1}}"]
)
def test_wrong_arguments_are_refused_by_the_functions_name(template: str) -> None:
    with pytest.raises(InvalidArgument, match="template: error calling"):
        render(template, {"a": "text"})
