"""docs/library.md: each example is a program that works, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

_PAGE = Path(__file__).parent.parent.parent / "docs/library.md"
_EXAMPLE = re.compile(r"^```python\n(.*?)^```\n(?:\n```output\n(.*?)^```)?", re.DOTALL | re.MULTILINE)


def test_every_example_of_the_guide_prints_what_the_page_says(tmp_path: Path) -> None:
    examples = _EXAMPLE.findall(_PAGE.read_text())
    assert examples

    for program, output in examples:
        done = _run(program.replace("/var/lib/my-", f"{tmp_path}/my-"))
        assert (done.returncode, done.stdout) == (0, output), done.stderr


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
