from __future__ import annotations

import pytest
from conformance.dockerfile_cases import Case, cases, looked_over

from wharf.errors import InvalidArgument

SOURCE = """
func testOther(t *testing.T) {
	dockerfile := []byte(`FROM other`)
}

func testStageName(t *testing.T) {
	dockerfile := []byte(`
FROM scratch AS Up
`)
	checkLinterWarnings(t, sb, &lintTestParams{
		Dockerfile: dockerfile,
		DockerIgnore: []byte(`x`),
		FrontendAttrs: map[string]string{
			"build-arg:A": "1",
		},
		Warnings: []expectedLintWarning{
			{
				RuleName:    "StageNameCasing",
				Detail:      "Stage name 'Up' should be \\"lowercase\\"",
				Line:        2,
				Level:       1,
			},
		},
	})
	dockerfile = built()
	checkLinterWarnings(t, sb, &lintTestParams{Dockerfile: elsewhere})
}
"""


def test_cases_are_taken_from_the_texts_before_a_call() -> None:
    expected = [("StageNameCasing", 2, "Stage name 'Up' should be \"lowercase\"")]

    case = Case("lint StageName 0", "\nFROM scratch AS Up\n", "x", {"A": "1"}, expected)
    assert list(cases(SOURCE)) == [case]


def test_what_a_check_alone_finds_is_not_compared_by_its_lines() -> None:
    (case,) = cases(SOURCE.replace("\tWarnings:", "\tUnmarshalWarnings:"))
    assert not case.lined


def test_a_dockerfile_is_looked_over_without_its_images() -> None:
    report = looked_over(b"FROM nobody-has-this AS Up\nCOPY . .\n", ignored="*")

    assert [one.rule.name for one in report.findings] == ["StageNameCasing", "CopyIgnoredFile"]
    assert "unknown instruction" in str(looked_over(b"FROM a\nFRON b\n").error)
    with pytest.raises(InvalidArgument, match="unterminated heredoc"):
        looked_over(b"FROM a\nRUN <<E\n")
