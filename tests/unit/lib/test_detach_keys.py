from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.detach_keys import parse_detach_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [(None, [16, 17]), ("", [16, 17]), ("ctrl-a", [1]), ("a,ctrl-[", [97, 27]), ("ctrl-@,ctrl-_", [0, 31])],
)
def test_keys_are_characters_or_controls(text: str | None, keys: list[int]) -> None:
    assert parse_detach_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ab", "ctrl-1", "é", "ctrl-p,,"])
def test_other_keys_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="Unknown character"):
        parse_detach_keys(text)
