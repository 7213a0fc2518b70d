# ruff: noqa: E501  # (the texts stand whole, as users see them)
from __future__ import annotations

import pytest
from tests.unit.build.checks.look import found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "FROM a\nENTRYPOINT my-program start\n",
            "2 JSONArgsRecommended: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
        ),
        (
            "FROM a\nMAINTAINER me\n",
            "2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label",
        ),
        (
            "FROM a\nWORKDIR app/src\nWORKDIR more\n",
            '2 WorkdirRelativePath: Relative workdir "app/src" can have unexpected results if the base image changes',
        ),
        (
            'FROM a\nCMD ["1"]\nRUN x\nCMD ["2"]\n',
            "2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used",
        ),
        (
            "FROM a\nENV foo bar\n",
            '2 LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format',
        ),
        (
            "FROM a\nARG AWS_SECRET_ACCESS_KEY\n",
            '2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "AWS_SECRET_ACCESS_KEY")',
        ),
        (
            "FROM a\nEXPOSE 80/TcP\n",
            "2 ExposeProtoCasing: Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
        ),
        (
            "FROM a\nEXPOSE 80:80\n",
            "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '80:80'",
        ),
    ],
)
def test_a_broken_rule_is_found(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        'FROM a\nSHELL ["bash", "-c"]\nCMD x\n',
        'FROM a AS one\nSHELL ["bash", "-c"]\nFROM one\nCMD x\n',
        "FROM a AS one\nWORKDIR /x\nFROM one\nWORKDIR y\n",
        "FROM a\nENV PUBLIC_KEY=1 KEY_FILE=2 TOKEN_VERSION=3\n",
    ],
)
def test_a_good_file_has_no_findings(text: str) -> None:
    assert found(text) == []


def test_descriptions_are_looked_at_when_asked_for() -> None:
    text = "# check=experimental=all\n# a note\nFROM a AS base\n# another\nARG VERSION=1\n"

    assert found(text) == [
        "3 InvalidDefinitionDescription: Comment for FROM should follow the format: `# base <description>`",
        "5 InvalidDefinitionDescription: Comment for ARG should follow the format: `# VERSION <description>`",
    ]


def test_a_copy_of_what_is_ignored_is_found() -> None:
    text = "FROM a\nCOPY ./tmp/helloworld.txt /x\nADD tmp/y https://example.com/z /\nCOPY --from=a /tmp/q /\n"

    assert found(text, "*/tmp/*", "tmp/*") == [
        '2 CopyIgnoredFile: Attempting to Copy file "tmp/helloworld.txt" that is excluded by .dockerignore',
        '3 CopyIgnoredFile: Attempting to Add file "tmp/y" that is excluded by .dockerignore',
    ]
    assert found(text, "tmp/*", "!tmp/helloworld.txt") == []


def test_a_copy_of_a_context_that_is_ignored_as_a_whole_is_found() -> None:
    said = '2 CopyIgnoredFile: Attempting to Copy file "." that is excluded by .dockerignore'

    assert [found("FROM scratch\nCOPY . .\n", pattern) for pattern in (".*", "?", "*", "**")] == [
        [],
        [],
        [said],
        [said],
    ]
