from __future__ import annotations

import pytest

from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("True", True), ("f", False), ("0", False), ("", True)])
def test_yes_and_no_have_gos_spellings(value: str, meant: bool) -> None:  # a case of the table
    assert truth_of({"name": value}, "name", default=True) is meant


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="invalid value yes for name"):
        truth_of({"name": "yes"}, "name")
