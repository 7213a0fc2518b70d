from __future__ import annotations

from wharf.compose.load.located import Map, Mark, Override, Reset, Seq, complaint, mark_at, rebuilt, settled


def tree() -> Map:
    ports = Seq([80, 81], [Mark("f", 4), Mark("f", 5)])
    web = Map([("ports", ports)], {"ports": Mark("f", 3)})
    return Map([("services", Map([("web", web)], {"web": Mark("f", 2)}))], {"services": Mark("f", 1)})


def test_place_is_that_of_the_entry_or_of_the_nearest_known_one_above() -> None:
    assert str(mark_at(tree(), ("services", "web", "ports", 1))) == "f:5"
    assert str(mark_at(tree(), ("services", "web", "image"))) == "f:2"
    assert mark_at(tree(), ("volumes",)) is None


def test_place_is_found_below_what_overrides() -> None:
    overriding = Map([("services", Override(tree()["services"]))], {"services": Mark("f", 1)})

    assert str(mark_at(overriding, ("services", "web"))) == "f:2"


def test_complaint_begins_with_the_place() -> None:
    assert str(complaint(tree(), ("services", "web"), "no image")) == "f:2: no image"
    assert str(complaint(Map(), ("services",), "no image")) == "no image"


def test_rebuilt_copy_keeps_the_places_and_leaves_the_first_alone() -> None:
    first = Seq([1, 2], [Mark("f", 1), Mark("f", 2)])
    copy = rebuilt(first, lambda at, value: (at, value))

    assert copy == [(0, 1), (1, 2)]
    assert copy.marks == first.marks
    assert first == [1, 2]


def test_settled_tree_has_no_marks_of_merging() -> None:
    marked = Map([("a", Reset()), ("b", Override(Map([("c", 1), ("d", Reset())]))), ("e", Seq([Reset(), 2]))])

    assert settled(marked) == {"b": {"c": 1}, "e": [2]}


def test_marks_of_merging_are_equal_by_what_they_say() -> None:
    assert (Reset(), Override(1)) == (Reset(), Override(1))
    assert Override(1) != Override(2)
    assert (repr(Reset()), repr(Override(1))) == ("!reset", "!override 1")
    assert len({Reset(), Reset()}) == 1
