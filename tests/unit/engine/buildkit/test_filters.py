from __future__ import annotations

import pytest

from wharf.engine.buildkit.filters import Condition, conditions_of
from wharf.engine.buildkit.filters import test_of as matcher
from wharf.errors import InvalidArgument, NotImplementedHere

FIELDS = ("id", "inuse", "at")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], ["a1", "b2"]),
        ([""], ["a1", "b2"]),
        (["id==a1"], ["a1"]),
        (["id!=a1"], ["b2"]),
        (["id~=^nothing"], None),
        (["id~=b."], ["b2"]),
        (["inuse"], ["b2"]),
        (["id~=a,inuse"], []),
        (["id==a1", "inuse"], ["a1", "b2"]),
    ],
)
def test_filters_choose(filters: list[str], found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(NotImplementedHere, match=r"regular expression \^nothing"):
            matcher(filters, FIELDS)
        return
    test = matcher(filters, FIELDS)
    things: list[dict[str, str]] = [{"id": "a1"}, {"id": "b2", "inuse": ""}]
    assert [one["id"] for one in things if test(one.get)] == found


@pytest.mark.parametrize("text", ["colour==red", "id>1", "at==1", "==", "id=1"])
def test_what_is_malformed_or_unknown_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        conditions_of(text, FIELDS, ("at",))


def test_a_comma_means_both() -> None:
    assert conditions_of("id==a,at>=1", FIELDS, ("at",)) == [Condition("id", "==", "a"), Condition("at", ">=", "1")]
