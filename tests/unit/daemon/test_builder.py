from __future__ import annotations

import pytest

from wharf.daemon.builder import default_rules, read_builder
from wharf.engine.options import BUILD_RULES, BuildRule
from wharf.errors import InvalidArgument

_GIB = 1 << 30


def test_what_is_not_said_is_not_there() -> None:
    assert read_builder({}) == {"entitlements": {}}
    assert default_rules() == BUILD_RULES


def test_the_defaults_make_the_usual_rules_larger_or_smaller() -> None:
    (old, much) = read_builder({"gc": {"defaultKeepStorage": "1g", "defaultReservedSpace": "2g"}})["rules"]
    assert (old, much) == (BUILD_RULES[0], BuildRule(2 * _GIB))
    said = {"gc": {"enabled": True, "defaultMaxUsedSpace": "3g", "defaultMinFreeSpace": 4}}
    assert read_builder(said)["rules"][1] == BuildRule(0, 3 * _GIB, 4)
    assert read_builder({"gc": {"enabled": False, "policy": [{}]}})["rules"] is None
    assert read_builder({"gc": {}})["rules"] == BUILD_RULES


def test_a_policy_is_rules_in_their_order() -> None:
    policy = [
        {"keepStorage": "10GB", "filter": ["unused-for=2200h", "type = regular"]},
        {"reservedSpace": "1g", "maxUsedSpace": "2g", "minFreeSpace": "3g", "all": True},
        {"filter": {"unused-for": {"48h": True}}},  # as dockerd once wanted it
    ]
    assert read_builder({"gc": {"policy": policy}})["rules"] == (
        BuildRule(10 * _GIB, filters={"unused-for": ("2200h",), "type": ("regular",)}),
        BuildRule(_GIB, 2 * _GIB, 3 * _GIB),
        BuildRule(filters={"unused-for": ("48h",)}),
    )
    assert read_builder({"gc": {"policy": []}})["rules"] == ()


@pytest.mark.parametrize(("said", "age_ns"), [("48h", 172_800 * 10**9), ("90", 90 * 10**9), (90, 90 * 10**9)])
def test_records_of_builds_are_kept_so_many_and_so_long(said: object, age_ns: int) -> None:
    read = read_builder({"history": {"maxAge": said, "maxEntries": 7}})
    assert (read["age_ns"], read["entries"]) == (age_ns, 7)


@pytest.mark.parametrize(
    "given",
    [
        {"other": 1},
        {"gc": []},
        {"gc": {"policy": [{"size": "1g"}]}},
        {"gc": {"policy": [{"filter": ["color=red"]}]}},
        {"gc": {"policy": [{"filter": ["unused-for=long"]}]}},
        {"gc": {"policy": [{"all": "yes"}]}},
        {"gc": {"policy": [{"filter": [5]}]}},
        {"gc": {"enabled": False, "defaultMinFreeSpace": "much"}},
        {"history": {"maxEntries": -1}},
        {"history": {"maxAge": "long"}},
        {"history": {"maxAge": True}},
    ],
)
def test_what_cannot_be_is_refused(given: object) -> None:
    with pytest.raises((TypeError, ValueError, InvalidArgument)):
        read_builder(given)
