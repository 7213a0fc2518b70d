"""What a run of pytest writes with ``--junitxml``, read. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import Literal

from conformance.suites import Outcome

Verdict = Literal["passed", "failed", "skipped"]


def verdicts(xml: str) -> dict[str, Verdict]:
    """Return each test's verdict by its id (``module.Class.test``); an error is a failure."""
    return {name: _verdict(case) for name, case in _cases(xml)}


def _cases(xml: str) -> Iterator[tuple[str, ET.Element]]:
    for case in ET.fromstring(xml).iter("testcase"):  # noqa: S314  # our own pytest's
        yield f"{case.get('classname')}.{case.get('name')}", case


def _verdict(case: ET.Element) -> Verdict:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def reasons(xml: str) -> dict[str, str]:
    """Return the first line of why each failed test failed, by its id."""
    found = {}
    for name, case in _cases(xml):
        for kind in ("failure", "error"):
            if (child := case.find(kind)) is not None:
                text = child.get("message") or child.text or ""
                found[name] = text.partition("\n")[0]
    return found


def outcome(found: dict[str, Verdict], peer_passes: Iterable[str]) -> Outcome:
    """Return the counts, and which tests the peer passes and we do not."""
    counts = {verdict: list(found.values()).count(verdict) for verdict in ("passed", "failed", "skipped")}
    missing = sorted(test for test in peer_passes if found.get(test) != "passed")
    return Outcome(**counts, missing=tuple(missing))
