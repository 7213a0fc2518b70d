"""docs/api-coverage.md never claims more than the code does; `make api-coverage` brings it up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

_TOP = Path(__file__).parent.parent.parent
_NAME = re.compile(r"`([^`]+)`")


def _claims(page: str) -> set[tuple[str, str, str]]:
    """Return what a page calls done: endpoints, and (endpoint, kind, name)."""
    found: set[tuple[str, str, str]] = set()
    endpoint = ""
    for line in page.splitlines():
        if line.startswith("### "):
            endpoint, _, state = line.removeprefix("### ").partition(": ")
            if state == "done":
                found.add((endpoint, "", ""))
        elif line.startswith("- "):
            kind, _, names = line.removeprefix("- ").partition(": ")
            done = re.split(
                r"named, not seen:|refused by name:|changes nothing here:|does not apply:|\*\*not done\*\*:", names
            )[0]
            found |= {(endpoint, kind, name) for name in _NAME.findall(done)}
    return found


def test_the_page_claims_nothing_that_is_not_done() -> None:
    made = subprocess.run(
        [sys.executable, _TOP / "scripts/api_coverage.py", "--print"], capture_output=True, text=True, check=True
    ).stdout
    written = (_TOP / "docs/api-coverage.md").read_text()

    assert _claims(written) - _claims(made) == set()
    assert len(_claims(written)) > 500


def test_every_endpoint_of_the_definition_is_known() -> None:
    assert ": not known" not in (_TOP / "docs/api-coverage.md").read_text()


def test_every_field_of_an_answer_is_there_or_there_is_a_reason() -> None:
    page = (_TOP / "docs/api-coverage.md").read_text()
    reasons = [line.split("\t") for line in (_TOP / "tests/data/engine_api_absent.tsv").read_text().splitlines()[1:]]

    assert "**not done**" not in page
    assert [field for field, why in reasons if f"{field}` ({why})" not in page] == [], "these apply by now"
