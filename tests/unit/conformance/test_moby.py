"""What moby's tests said is read, and what is set aside is left out with its parts."""

from __future__ import annotations

from conformance import moby

_SAID = """\
=== RUN   TestA
    a_test.go:1: assertion failed
--- FAIL: TestA (0.10s)
    --- PASS: TestA/one (0.00s)
        --- PASS: TestA/one/deep (0.00s)
    --- FAIL: TestA/two (0.00s)
--- SKIP: TestB (0.00s)
"""


def test_every_part_of_a_test_has_its_own_verdict() -> None:
    assert moby.verdicts("plugin/authz", _SAID) == {
        "plugin/authz.TestA": "failed",
        "plugin/authz.TestA/one": "passed",
        "plugin/authz.TestA/one/deep": "passed",
        "plugin/authz.TestA/two": "failed",
        "plugin/authz.TestB": "skipped",
    }


def test_a_test_that_is_set_aside_goes_with_its_parts_and_what_it_is_a_part_of() -> None:
    passed = ["p.TestA", "p.TestA/one", "p.TestA/one/deep", "p.TestA/two", "p.TestAB"]

    assert moby.expected(passed, ["p.TestA/one"]) == ["p.TestA/two", "p.TestAB"]


def test_reasons_are_read_by_test() -> None:
    assert moby.set_aside("# why\np.TestA\tno such thing here\n") == {"p.TestA": "no such thing here"}


def test_every_test_that_is_set_aside_is_one_that_the_peer_passes_and_has_a_reason() -> None:
    passed = moby.BASELINE.read_text().splitlines()
    aside = moby.set_aside(moby.SET_ASIDE.read_text())

    assert [name for name in aside if not any(f"{test}/".startswith(f"{name}/") for test in passed)] == []
    assert all(aside.values())
