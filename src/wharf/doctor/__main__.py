"""``python -m wharf.doctor [--format json]``. Exit codes: 0 containers run, 1 they cannot, 2 misused."""

from __future__ import annotations

import shutil
import sys

from wharf.doctor import checks, report
from wharf.doctor.machine import look

_MISUSED = 2


def main(words: list[str]) -> int:
    """Print the report and return the exit code."""
    if words not in ([], ["--format", "json"], ["--format=json"], ["--format", "text"], ["--format=text"]):
        sys.stderr.write("wharf doctor: it takes --format json or --format text\n")
        return _MISUSED
    findings = checks.check(look())
    wanted = words and words[-1].endswith("json")
    text = report.as_json(findings) if wanted else report.as_text(findings, width=shutil.get_terminal_size().columns)
    sys.stdout.write(f"{text}\n")
    return 1 if checks.fails(findings) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
