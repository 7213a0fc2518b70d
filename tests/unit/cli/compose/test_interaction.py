from __future__ import annotations

import pytest

from wharf.cli.compose.globals import take
from wharf.cli.compose.interaction import wants_menu
from wharf.cli.compose.up import UP_FLAGS
from wharf.cli.flags import parse


@pytest.mark.parametrize(
    ("words", "before", "variable", "expected"),
    [
        ((), [], None, True),
        ((), [], "false", False),
        ((), [], "1", True),
        (("--menu",), [], "false", True),
        (("--menu=false",), [], None, False),
        (("--menu",), ["--progress", "plain"], None, False),
    ],
)
def test_keys_are_heeded_unless_that_is_not_wanted(
    words: tuple[str, ...], before: list[str], variable: str | None, *, expected: bool
) -> None:
    values, _ = parse(UP_FLAGS, list(words))
    flags, _ = take(before, {})

    assert wants_menu(values, flags, variable) is expected
