"""Pull and push by docker's command line and by ours, with Debian's docker-registry as the other side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.root.e2e.conftest import Cli
from tests.root.registry import PROGRAM, registry

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed"),
]


def test_what_was_pushed_is_pulled_and_run(run: Cli, tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as host:
        name = f"{host}/bb:1"
        assert run("tag", "busybox", name).code == 0
        pushed = run("push", name)
        assert (pushed.code, "digest: sha256:" in pushed.out) == (0, True), pushed
        assert run("rmi", name).code == 0
        again = run("pull", name)
        assert (again.code, f"Status: Image is up to date for {name}" in again.out) == (0, True), again
        assert run("rmi", name).code == 0

        done = run("run", "--rm", "--pull", "always", name, "echo", "hi")
        assert (done.code, done.out) == (0, "hi\n"), done
        missing = run("pull", f"{host}/bb:2")
        assert (missing.code, "manifest unknown" in missing.err) == (1, True), missing
        run("rmi", name)
