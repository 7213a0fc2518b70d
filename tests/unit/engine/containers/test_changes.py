from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from wharf.engine.containers.changes import compare

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes overlay's marks")


def test_a_layer_is_compared_with_what_is_below(tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    for folder in ("etc", "same", "new", "dev", "proc"):
        (upper / folder).mkdir(parents=True)
    (upper / "etc/passwd").write_text("changed")
    (upper / "etc/hosts").write_text("")
    (upper / "new/file").write_text("x")
    os.mknod(upper / "gone", stat.S_IFCHR, 0)
    below = {b"etc": os.stat(upper / "etc"), b"etc/passwd": os.stat(upper / "etc/passwd")}
    below |= {b"same": os.stat(upper / "same"), b"gone": os.stat("/")}
    fd = os.open(upper, os.O_RDONLY)
    try:
        found = compare(fd, below.get)
    finally:
        os.close(fd)

    assert [f"{'CAD'[change['Kind'] or 0]} {change['Path']}" for change in found] == [
        "C /etc", "C /etc/passwd", "D /gone", "A /new", "A /new/file",
    ]  # fmt: skip
