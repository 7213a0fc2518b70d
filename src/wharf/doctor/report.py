"""The report for people and for programs. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from wharf.doctor.checks import Finding, Verdict

_MARKS: Final = {Verdict.WELL: "ok", Verdict.LACKS: "--", Verdict.FAILS: "!!"}
_INDENT: Final = " " * 6


def as_json(findings: Sequence[Finding]) -> str:
    """Return one JSON array: an object a finding, with its fields by name."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def as_text(findings: Sequence[Finding], *, width: int) -> str:
    """Return a line a finding; where something lacks, what follows and what to do below it."""
    longest = max(len(finding.what) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"[{_MARKS[finding.verdict]}]  {finding.what:<{longest}}  {finding.detail}".rstrip())
        if finding.verdict is not Verdict.WELL:
            lines += _wrapped(f"{finding.consequence}.", width)
            lines += _wrapped(f"To do: {finding.remedy}.", width)
    return "\n".join([*lines, "", _summary(findings)])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False)


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    if counts[Verdict.FAILS]:
        return "There can be no containers here as it is."
    if counts[Verdict.LACKS]:
        return f"Containers run here; {counts[Verdict.LACKS]} of {len(findings)} things are lacking."
    return "Containers run here, and nothing is lacking."
