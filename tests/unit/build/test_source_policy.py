from __future__ import annotations

import re

import pytest

from wharf.build.source_policy import Constraint, Found, Policy, Rule, decided, expressions_of, wildcards
from wharf.errors import Forbidden, InvalidArgument

BUSYBOX = "docker-image://docker.io/library/busybox:latest"


def _decided(*policies: Policy, identifier: str = BUSYBOX, **attributes: str) -> tuple[str, dict[str, str]]:
    return decided(policies, identifier, attributes)


def test_the_last_rule_about_a_source_counts() -> None:
    deny, allow = Rule("deny", "docker-image://*"), Rule("allow", BUSYBOX)
    assert _decided([deny, allow]) == (BUSYBOX, {})
    with pytest.raises(Forbidden, match=r'source "docker-image://.*busybox:latest" denied by policy'):
        _decided([allow, deny])
    with pytest.raises(Forbidden):
        _decided([allow], [deny])


def test_sources_are_converted() -> None:
    pin = Rule("convert", "docker-image://docker.io/library/*:latest", becomes="docker-image://mirror/$1:${1}")
    assert _decided([pin])[0] == "docker-image://mirror/busybox:busybox"
    checksum = Rule("convert", "https://host/f", attributes={"http.checksum": "sha256:0"})
    assert _decided([checksum], identifier="https://host/f", a="b") == (
        "https://host/f",
        {"a": "b", "http.checksum": "sha256:0"},
    )


def test_a_conversion_is_decided_on_again() -> None:
    first = Rule("convert", BUSYBOX, becomes="docker-image://other")
    with pytest.raises(Forbidden, match="other"):
        _decided([Rule("deny", "docker-image://other"), first])
    endless = Rule("convert", "*", becomes="${1}x")
    with pytest.raises(InvalidArgument, match="again and again"):
        _decided([endless])


def test_attributes_count() -> None:
    rule = Rule("deny", "*", constraints=(Constraint("http.checksum", "", equal=True),))
    with pytest.raises(Forbidden):
        _decided([rule], identifier="https://host/f")
    assert decided([[rule]], "https://host/f", {"http.checksum": "sha256:0"})[0] == "https://host/f"


def test_exact_rules_have_no_wildcards() -> None:
    assert _decided([Rule("deny", "docker-image://*", exact=True)])[0] == BUSYBOX


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a*c", "abc", ["b"]),
        ("a*", "a", [""]),
        ("*b*", "abab", ["a", "ab"]),
        ("a*c", "abd", None),
        ("ab*bc", "abc", None),
        ("abc", "abd", None),
        ("*x*y", "ay", None),
    ],
)
def test_wildcards_stand_for_anything(pattern: str, text: str, found: list[str] | None) -> None:
    assert wildcards(pattern, text) == found


def _search(pattern: str, text: str) -> list[Found]:
    return [Found(one.start(), one.end(), one.groups("")) for one in re.finditer(pattern, text)]


def test_regular_expressions_replace_where_they_are_found() -> None:
    rule = Rule("convert", r"(busy)box:(\w+)", regular=True, becomes="${1}lamp:$2")
    policies = [[rule]]

    assert decided(policies, "docker-image://x/busybox:1", {}, _search)[0] == "docker-image://x/busylamp:1"
    assert decided(policies, "docker-image://x/other:1", {}, _search)[0] == "docker-image://x/other:1"
    assert expressions_of(policies) == {rule.identifier}


def test_attributes_can_be_matched_too() -> None:
    constraint = Constraint("http.checksum", "^sha512:", regular=True)
    policies = [[Rule("deny", "https://*", constraints=(constraint,))]]

    assert decided(policies, "https://x", {"http.checksum": "sha256:1"}, _search)[0] == "https://x"
    with pytest.raises(Forbidden):
        decided(policies, "https://x", {"http.checksum": "sha512:1"}, _search)
