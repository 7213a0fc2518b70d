from __future__ import annotations

from wharf.build.checks.rules import RULES, finding


def test_every_rule_that_has_a_page_says_where_it_is() -> None:
    assert {name for name, rule in RULES.items() if not rule.url} == {"InvalidBaseImagePlatform"}
    assert RULES["UndefinedVar"].url == "https://docs.docker.com/go/dockerfile/rule/undefined-var/"


def test_a_finding_names_a_rule_that_exists() -> None:
    assert finding("UndefinedVar", "x", (1, 2)).rule is RULES["UndefinedVar"]
