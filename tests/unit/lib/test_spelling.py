from __future__ import annotations

from typing import TypedDict

from wharf.lib.spelling import respelling


class Inner(TypedDict, total=False):
    Name: str | None


class Outer(TypedDict, total=False):
    DetachKeys: str
    Inner: Inner | None
    Inners: list[Inner]
    ByName: dict[str, Inner] | None
    Labels: dict[str, str]


def test_case_of_names_does_not_matter_at_any_depth() -> None:
    sent = {
        "detachKeys": "ctrl-p",
        "INNER": {"name": None},
        "inners": [{"NAME": "a"}, 3],
        "byname": {"Key": {"name": "b"}},
        "labels": {"name": "kept"},
        "other": 1,
    }

    assert respelling(Outer)(sent) == {
        "DetachKeys": "ctrl-p",
        "Inner": {"Name": None},
        "Inners": [{"Name": "a"}, 3],
        "ByName": {"Key": {"Name": "b"}},
        "Labels": {"name": "kept"},
        "other": 1,
    }


def test_a_null_among_items_is_an_empty_one() -> None:
    sent = {"Inners": [None], "ByName": {"Key": None}, "Labels": {"name": None}}

    assert respelling(Outer)(sent) == {"Inners": [{}], "ByName": {"Key": {}}, "Labels": {"name": ""}}


def test_exact_spelling_wins() -> None:
    assert respelling(Outer)({"detachkeys": "a", "DetachKeys": "b"}) == {"DetachKeys": "b"}


def test_what_is_no_document_is_left_to_the_check_of_its_shape() -> None:
    assert (respelling(Outer)([1]), respelling(dict)({"a": 1})) == ([1], {"a": 1})
