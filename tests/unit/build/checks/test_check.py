# (the texts stand whole, as users see them)
from __future__ import annotations

import pytest
from tests.unit.build.checks.look import found, report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nEXPOSE \\\n\n80\n", "4 NoEmptyContinuation: Empty continuation line"),
        ("FROM a AS base\nCOPY $foo .\n", "2 UndefinedVar: Usage of undefined variable '$foo'"),
        (
            "FROM a\nENV PATH=$PAHT:/app/bin\n",
            "2 UndefinedVar: Usage of undefined variable '$PAHT' (did you mean $PATH?)",
        ),
        ("FROM a\nARG VERSION=$foo\n", "2 UndefinedVar: Usage of undefined variable '$foo'"),
    ],
)
def test_a_broken_rule_is_found(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nEXPOSE \\\n# Port\n80\n",
        "FROM a\nARG foo\nCOPY $foo /x\n",
        "FROM a\nENV X=$FROM_IMAGE\n",
        "FROM unknown\nENV X=$ANYTHING\n",
        "FROM a\nRUN echo $ANYTHING\n",
        "# just a note\nFROM a AS b\n# another\nARG X=1\n",
    ],
)
def test_a_good_file_has_no_findings(text: str) -> None:
    assert found(text) == []


def test_rules_are_skipped_in_a_file_or_for_an_instruction() -> None:
    assert found("# check=skip=StageNameCasing\nFROM a AS B\nWORKDIR x\n") == [
        '3 WorkdirRelativePath: Relative workdir "x" can have unexpected results if the base image changes'
    ]
    assert found("FROM a AS b\n# check=skip=WorkdirRelativePath\nWORKDIR x\n") == []


def test_stages_that_a_target_does_not_need_are_left_out() -> None:
    text = "FROM a AS one\nWORKDIR x\nFROM a AS two\nWORKDIR y\n"

    assert [one.lines for one in report(text, target="two", every_stage=False).findings] == [(4, 4)]


def test_what_a_build_fails_with_is_told_beside_the_findings() -> None:
    told = report("FROM a AS B\nCOPY --from=b x /\n")

    assert [one.rule.name for one in told.findings] == ["StageNameCasing"]
    assert told.error is not None
    assert told.error.lines == (2, 2)


def test_what_comes_before_an_instruction_that_cannot_be_read_is_told_beside_it() -> None:
    told = report("FROM scratch AS B\nMAINTAINER me\nWORKDIR x\nBADCMD\nMAINTAINER you\n")

    rules = ["StageNameCasing", "MaintainerDeprecated"]
    assert [one.rule.name for one in told.findings] == rules
    assert str(told.error) == "dockerfile parse error on line 4: unknown instruction: BADCMD"
    assert told.error is not None
    assert told.error.lines == (4, 4)


def test_findings_fail_a_build_that_says_so() -> None:
    assert report("# check=error=true\nFROM a AS B\nWORKDIR x\n").refusal() == (
        "lint violation found for rules: StageNameCasing, WorkdirRelativePath"
    )
    assert [report("FROM a AS B\n").refusal(), report("# check=error=true\nFROM a\n").refusal()] == ["", ""]


def test_a_base_image_for_another_platform_is_found() -> None:
    assert found("FROM --platform=linux/arm64 a AS arm64\nFROM arm64\n") == [
        '1 InvalidBaseImagePlatform: Base image a was pulled with platform "linux/amd64", expected "linux/arm64" for current build'  # noqa: E501  # the text is whole
    ]
