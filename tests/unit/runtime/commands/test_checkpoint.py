from __future__ import annotations

from pathlib import Path

import pytest

from wharf.runtime.commands import checkpoint


def criu(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (folder / "criu").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "criu").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_reason_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkpoint.reason() == "criu is not installed"
    criu(tmp_path, monkeypatch, "echo 'Error: no timens' >&2; exit 1")
    assert checkpoint.reason() == "criu check fails on this kernel: Error: no timens"
