from __future__ import annotations

import io
from pathlib import Path

import pytest

from wharf.compose.load import files
from wharf.compose.load.files import DiskFiles, absolute
from wharf.compose.load.located import ComposeError


def test_file_is_read_and_one_that_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text ✓")

    assert DiskFiles().read(f"{tmp_path}/a") == "text ✓"
    assert DiskFiles().read(f"{tmp_path}/b") is None
    assert DiskFiles().read(f"{tmp_path}/a/b") is None


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("services: {}"))
    disk = DiskFiles()

    assert [disk.read("-"), disk.read("-")] == ["services: {}", "services: {}"]


def test_what_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "binary").write_bytes(b"ab\xff")
    with pytest.raises(ComposeError, match="binary: not UTF-8 at byte 2"):
        DiskFiles().read(f"{tmp_path}/binary")
    with pytest.raises(ComposeError, match="is a directory"):
        DiskFiles().read(str(tmp_path))
    monkeypatch.setattr(files, "MAX_BYTES", 2)
    with pytest.raises(ComposeError, match="larger than"):
        DiskFiles().read(f"{tmp_path}/binary")


def test_paths_are_below_the_base_unless_they_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert [absolute(path, "/b") for path in ("a/../c", "/x", "~/y", "~", "..")] == [
        "/b/c", "/x", "/home/me/y", "/home/me", "/",
    ]  # fmt: skip
