# ruff: noqa: E501  # (the texts stand whole, as users see them)
from __future__ import annotations

import pytest
from tests.unit.build.checks.look import found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a AS BuilderBase\n", "1 StageNameCasing: Stage name 'BuilderBase' should be lowercase"),
        ("FROM a as b\n", "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"),
        ("from a AS b\n", "1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"),
        (
            'FROM a\nRUN x\nEntryPoint ["c"]\n',
            "3 ConsistentInstructionCasing: Command 'EntryPoint' should match the case of the command majority (uppercase)",
        ),
        (
            "from a\nrun x\nRUN y\n",
            "3 ConsistentInstructionCasing: Command 'RUN' should match the case of the command majority (lowercase)",
        ),
        (
            "FROM a AS b\nFROM a AS b\n",
            '2 DuplicateStageName: Duplicate stage name "b", stage names should be unique',
        ),
        (
            "FROM a AS scratch\n",
            '1 ReservedStageName: Stage name should not use the same name as reserved stage "scratch"',
        ),
    ],
)
def test_a_broken_rule_is_found(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a AS deb-builder\n",
        "from a as b\n",
    ],
)
def test_a_good_file_has_no_findings(text: str) -> None:
    assert found(text) == []
