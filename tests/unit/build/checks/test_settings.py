from __future__ import annotations

import pytest

from wharf.build.checks.rules import RULES
from wharf.build.checks.settings import Settings, parse_settings, settings_of
from wharf.errors import InvalidArgument


def test_rules_are_skipped_by_name_or_all_of_them() -> None:
    some, every = parse_settings("skip=StageNameCasing, UndefinedVar;error=1"), parse_settings("skip=all")

    assert some == Settings(frozenset({"StageNameCasing", "UndefinedVar"}), error=True)
    assert [settings.holds(RULES["UndefinedVar"]) for settings in (some, every, Settings())] == [False, False, True]


def test_an_experimental_rule_holds_where_it_is_asked_for() -> None:
    rule = RULES["InvalidDefinitionDescription"]
    asked = parse_settings("experimental=InvalidDefinitionDescription")

    assert [one.holds(rule) for one in (Settings(), asked, parse_settings("experimental=all"))] == [False, True, True]


def test_a_file_says_it_in_a_directive() -> None:
    assert settings_of("# syntax=x\n# check=skip=A\nFROM b\n").skip == {"A"}
    assert settings_of("FROM b\n# check=skip=A\n") == Settings()


def test_a_build_argument_says_it_in_the_files_place() -> None:
    text = "# check=skip=A\nFROM b\n"

    assert settings_of(text, {"BUILDKIT_DOCKERFILE_CHECK": "skip=B;error=true"}) == Settings(
        frozenset({"B"}), error=True
    )
    assert settings_of(text, {"OTHER": "skip=B"}).skip == {"A"}


def test_a_comment_adds_to_what_the_file_says() -> None:
    assert Settings(frozenset({"A"}), error=True).with_comments(["note", "check=skip=B because"]) == Settings(
        frozenset({"A", "B"}), error=True
    )
    assert Settings().with_comments(["check=nonsense"]) == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("skip", 'invalid check option "skip"'),
        ("skop=A", 'invalid check option "skop"'),
        ("error=perhaps", 'failed to parse check option "error=perhaps": invalid syntax'),
    ],
)
def test_malformed_settings_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_settings(text)
    assert str(caught.value) == said
