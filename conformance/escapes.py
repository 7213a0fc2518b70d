"""Our own tests of published escapes, each seen to fail on a runtime that is weakened by one defence.

The weakenings are in ``tests/root/escapes/weakenings.py``. A row passes when its test passes on the package as it is,
and fails, by what it asserts of the attack, when every copy of the package has the weakening.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.root.escapes.weakenings import WEAKENINGS, Weakening

from conformance import junit
from conformance.suites import Outcome, Suite

CVES = (
    "CVE-2016-9962", "CVE-2018-15664", "CVE-2019-5736", "CVE-2019-14271", "CVE-2019-16884", "CVE-2019-19921",
    "CVE-2020-15257", "CVE-2021-30465", "CVE-2022-24769", "CVE-2022-29162", "CVE-2023-28642", "CVE-2024-21626",
    "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881",
)  # fmt: skip
"""Those that must have a weakening each."""
_TOP = Path(__file__).parent.parent
_TESTS = "tests/root/escapes"
_ALL_S = 600


class Row(NamedTuple):
    """What came of a weakening: the test's verdict on the package as it is, and why it failed on the weakened one."""

    weakening: Weakening
    as_it_is: str
    fell: str  # "": it did not, or not by an assertion

    @property
    def seen(self) -> bool:
        """Whether the test sees the defence."""
        return self.as_it_is == "passed" and self.fell != ""


def run(scratch: Path) -> Outcome:
    """Run the tests once as they are, then each on its weakened runtime; print a table."""
    tests = dict.fromkeys(weakening.test for weakening in WEAKENINGS)
    as_it_is = junit.verdicts(_pytest(scratch, *tests))
    rows = []
    for weakening in WEAKENINGS:
        why = junit.reasons(_pytest(scratch, weakening.test, WHARF_WEAKENED=weakening.name))
        rows.append(Row(weakening, as_it_is.get(_id(weakening.test), "not run"), fall(why, weakening)))
    sys.stdout.write(table(rows))
    unseen = tuple(row.weakening.name for row in rows if not row.seen)
    return Outcome(len(rows) - len(unseen), len(unseen), 0, unseen)


def fall(reasons: Mapping[str, str], weakening: Weakening) -> str:
    """Return the assertion by which the weakening's test has failed; "" when it has not, or by something else."""
    match = re.match(r"(?:AssertionError: )?(assert .+)", reasons.get(_id(weakening.test), ""))
    return match[1] if match else ""


def table(rows: list[Row]) -> str:
    """Return the rows as text, a line a published escape and weakening."""
    head = ("", "a runtime that does not", "as it is", "weakened", "seen of the attack")
    lines = [head]
    for weakening, as_it_is, fell in rows:
        end = ("fails" if fell else "DOES NOT FAIL", _shortened(fell))
        lines += [(cve, weakening.taken, as_it_is, *end) for cve in weakening.cves]
    lines[1:] = sorted(lines[1:], key=lambda line: [int(part) for part in line[0].split("-")[1:]])
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _shortened(text: str, longest: int = 70) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _id(test: str) -> str:
    """Return what a report of pytest's calls a test."""
    module, _, name = test.partition(".py::")
    return f"{_TESTS.replace('/', '.')}.{module}.{name}"


def _pytest(scratch: Path, *tests: str, **environment: str) -> str:
    report = scratch / "report.xml"
    report.unlink(missing_ok=True)
    options = ("-q", "-p", "no:cacheprovider", "--tb=short", f"--basetemp={scratch}/tests", f"--junitxml={report}")
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"{_TESTS}/{test}" for test in tests)],
        cwd=_TOP,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        timeout=_ALL_S,
        check=False,  # that tests fail is the point
    )
    return report.read_text()


SUITE = Suite("escapes", len(WEAKENINGS), run)
