from __future__ import annotations

import pytest
from conformance.compose_config import difference, without_default


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


def test_only_the_option_whose_default_versions_print_differently_is_left_out() -> None:
    mounts = [{"bind": {"create_host_path": True, "selinux": "z"}}]

    assert without_default({"services": {"a": {"volumes": mounts}}}) == {
        "services": {"a": {"volumes": [{"bind": {"selinux": "z"}}]}}
    }
    assert without_default("refused") == "refused"
