from __future__ import annotations

from pathlib import Path

from conformance.escapes import CVES, Row, fall, table
from tests.root.escapes.weakenings import COPY_BY_NAME, LEAKY, WEAKENINGS

_PACKAGE = Path(__file__).parents[3] / "src/wharf"
_TEST = "tests.root.escapes.test_copying.test_what_is_copied_out_is_the_containers"


def test_every_published_escape_has_a_weakening() -> None:
    assert {cve for weakening in WEAKENINGS for cve in weakening.cves} == set(CVES)


def test_what_a_weakening_takes_away_is_there_just_once() -> None:
    patches = {patch for weakening in WEAKENINGS for patch in weakening.patches}

    assert [p for p in patches if (_PACKAGE / p.module).read_text().count(p.old) != 1] == []


def test_only_an_assertion_is_a_fall() -> None:
    assert (
        fall({_TEST: "AssertionError: assert 'host' == 'container'"}, COPY_BY_NAME) == "assert 'host' == 'container'"
    )
    assert fall({_TEST: "assert 'host' == 'container'"}, COPY_BY_NAME) == "assert 'host' == 'container'"
    assert fall({_TEST: "TimeoutError: 60 s"}, COPY_BY_NAME) == ""
    assert fall({}, COPY_BY_NAME) == ""


def test_table_has_a_line_for_each_escape_that_a_weakening_brings_back() -> None:
    text = table([Row(LEAKY, "passed", "assert ['50'] == []"), Row(COPY_BY_NAME, "passed", "")])

    assert [line.split("  ")[0] for line in text.splitlines()[1:]] == [
        "CVE-2016-9962",
        "CVE-2018-15664",
        "CVE-2024-21626",
    ]
    assert "DOES NOT FAIL" in text.splitlines()[2]
