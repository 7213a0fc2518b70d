from __future__ import annotations

from conformance.beside.differences import Acceptance, Difference, accepted, differences, unaccepted
from conformance.beside.sequences import SEQUENCES


def test_places_that_differ_are_named() -> None:
    ours = {"status": 200, "body": {"a": 1, "b": [1, 2], "c": None}}
    theirs = {"status": 200, "body": {"a": 1, "b": [1, 3], "d": False}}

    assert list(differences("s", "GET /x", ours, theirs)) == [
        Difference("s", "GET /x", "body.b.1", "2", "3"),
        Difference("s", "GET /x", "body.c", "null", "nothing"),
        Difference("s", "GET /x", "body.d", "nothing", "false"),
    ]


def test_of_other_statuses_what_they_say_is_told_alone() -> None:
    ours = {"status": 201, "body": {"Id": "x", "Warnings": []}}
    theirs = {"status": 400, "body": {"message": "no"}}

    assert list(differences("s", "POST /x", ours, theirs)) == [Difference("s", "POST /x", "status", "201", "400 no")]


def test_true_is_not_one() -> None:
    assert list(differences("s", "GET /x", [1], [True])) != []


def test_what_is_accepted_is_not_told() -> None:
    one, other = Difference("s=1", "GET /x", "body.a", "1", "2"), Difference("s=1", "GET /x", "body.b", "1", "2")

    assert unaccepted([one, other], [Acceptance("s=*", "*", "body.a", "*", "*", "why")]) == [other]


def test_every_acceptance_has_its_reason() -> None:
    assert all(len(one.why.split()) > 3 for one in accepted())


def test_sequences_have_names_of_their_own() -> None:
    assert len({one.name for one in SEQUENCES}) == len(SEQUENCES)
