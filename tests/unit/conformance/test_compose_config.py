from __future__ import annotations

import pytest
from conformance.compose_config import difference


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ("no", "not so", ""),
        ("no", {}, "refused by us alone: no"),
        ({}, "no", "refused by docker compose alone: no"),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "c": 2}}, "a.b: 1 is 3 there"),
        ({"a": [1]}, {}, "a: [1] is null there"),
    ],
)
def test_difference_is_told_by_its_path(
    ours: dict[str, object] | str, theirs: dict[str, object] | str, said: str
) -> None:
    assert difference(ours, theirs) == said
