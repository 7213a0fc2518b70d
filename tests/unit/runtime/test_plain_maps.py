from __future__ import annotations

import pytest

from wharf.runtime.plain_maps import is_own


@pytest.mark.parametrize(
    ("text", "own"), [("0 1000 1\n", True), ("0 1000 2\n", False), ("0 1000 1\n1 100000 65536\n", False), ("", False)]
)
def test_only_a_map_of_ones_own_id_needs_nobody(text: str, own: bool) -> None:
    assert is_own(text, 1000) is own
