"""Findings as texts and documents: ``result.txt`` and ``result.json`` of BuildKit's ``frontend.lint``. Pure."""

from __future__ import annotations

import base64

from wharf.build.checks.check import Report
from wharf.build.checks.rules import Finding
from wharf.build.dockerfile.excerpt import excerpt


def as_text(report: Report, filename: str, source: str) -> str:
    """Return a report for people: each finding with its place in the file."""
    parts = [_finding(found, filename, source) for found in report.findings]
    if report.error is not None:
        parts.append(f"\n{report.error}\n" + excerpt(source, filename, report.error.lines))
    return "".join(parts)


def as_document(report: Report, filename: str, source: str) -> dict[str, object]:
    """Return a report for programs."""
    document: dict[str, object] = {
        "warnings": [
            {
                "ruleName": found.rule.name,
                "description": found.rule.description,
                **({"url": found.rule.url} if found.rule.url else {}),
                "detail": found.detail,
                "location": _location(found.lines),
            }
            for found in report.findings
        ],
        "sources": [
            {
                "filename": filename,
                "language": "Dockerfile",
                "data": base64.b64encode(source.encode("utf-8", "surrogateescape")).decode(),
            }
        ],
    }
    if report.error is not None:
        document["buildError"] = {"message": str(report.error), "location": _location(report.error.lines)}
    return document


def _location(lines: tuple[int, int]) -> dict[str, object]:
    return {"ranges": [{"start": {"line": lines[0]}, "end": {"line": lines[1]}}]} if lines[0] else {}


def _finding(found: Finding, filename: str, source: str) -> str:
    page = f" - {found.rule.url}" if found.rule.url else ""
    return f"\nWARNING: {found.rule.name}{page}\n{found.detail}\n" + excerpt(source, filename, found.lines)
