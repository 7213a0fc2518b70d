"""The guides of docs: each example works as it stands, and prints what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.root.wharfd import Wharfd

_DOCS = Path(__file__).parent.parent.parent / "docs"
_AFTER = "-- the next example --"


def test_every_example_of_the_library_prints_what_the_page_says(tmp_path: Path) -> None:
    examples = _examples("library.md", "python")
    assert examples

    for program, output in examples:
        done = _run(sys.executable, "-c", program.replace("/var/lib/my-", f"{tmp_path}/my-"))
        assert (done.returncode, done.stdout) == (0, output), done.stderr


def test_the_kernel_shows_of_a_container_what_the_page_says(stocked: Path, tmp_path: Path) -> None:
    examples = _examples("how-containers-work.md", "sh")
    session = f"\necho {shlex.quote(_AFTER)}\n".join(commands for commands, _ in examples)
    daemon = Wharfd(tmp_path, stocked)
    daemon.start()
    try:
        done = _run("bash", "-c", session, DOCKER_HOST=f"unix://{daemon.socket}")
    finally:
        _run("wharf", "rm", "-f", "web", DOCKER_HOST=f"unix://{daemon.socket}")
        daemon.end()

    assert done.stdout.split(f"{_AFTER}\n") == [output for _, output in examples], done.stderr


def _examples(page: str, language: str) -> list[tuple[str, str]]:
    """Return the examples of a page in a language, each with what it prints; "" for one that says nothing of it."""
    block = rf"^```{language}\n(.*?)^```\n(?:\n```output\n(.*?)^```)?"
    return re.findall(block, (_DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def _run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        env={**os.environ, "PATH": path, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
