from __future__ import annotations

from conformance import junit
from conformance.suites import Outcome

REPORT = """<testsuites><testsuite name="pytest">
<testcase classname="t.a.A" name="test_one" time="0.1"/>
<testcase classname="t.a.A" name="test_two"><failure message="assert 1 == 2&#10;more">text</failure></testcase>
<testcase classname="t.a.A" name="test_three"><skipped type="pytest.skip" message="no">why</skipped></testcase>
<testcase classname="t.a" name="test_four"><error message="failed on setup">text</error></testcase>
</testsuite></testsuites>"""


def test_each_test_has_a_verdict() -> None:
    assert junit.verdicts(REPORT) == {
        "t.a.A.test_one": "passed",
        "t.a.A.test_two": "failed",
        "t.a.A.test_three": "skipped",
        "t.a.test_four": "failed",
    }


def test_failures_have_a_reason_of_one_line() -> None:
    assert junit.reasons(REPORT) == {"t.a.A.test_two": "assert 1 == 2", "t.a.test_four": "failed on setup"}


def test_what_the_peer_passes_and_we_do_not_is_missing() -> None:
    found = junit.verdicts(REPORT)

    outcome = junit.outcome(found, ["t.a.A.test_one", "t.a.A.test_two", "t.a.test_gone"])

    assert outcome == Outcome(1, 2, 1, ("t.a.A.test_two", "t.a.test_gone"))
