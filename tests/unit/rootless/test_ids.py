from __future__ import annotations

from wharf.rootless import ids

_SUBUID = "other:100000:65536\nana:200000:1000\n1000:300000:10\n# a remark\nana:x:y\nana:1:0\n"


def test_ranges_are_given_by_name_or_number() -> None:
    assert ids.ranges(_SUBUID, "ana", 1000) == [(200000, 1000), (300000, 10)]


def test_a_user_without_a_line_has_none() -> None:
    assert ids.ranges(_SUBUID, "nobody", 65534) == []


def test_the_user_is_root_and_the_others_follow() -> None:
    assert ids.rows(1000, [(200000, 1000), (300000, 10)]) == [(0, 1000, 1), (1, 200000, 1000), (1001, 300000, 10)]


def test_arguments_are_those_of_newuidmap() -> None:
    assert ids.arguments(7, [(0, 1000, 1), (1, 200000, 1000)]) == ["7", "0", "1000", "1", "1", "200000", "1000"]
