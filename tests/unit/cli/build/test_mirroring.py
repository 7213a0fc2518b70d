from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from wharf.cli.build.mirroring import remove_others
from wharf.errors import InvalidArgument


def archive(*names: str) -> io.BytesIO:
    """An archive of empty files, and of folders, whose names end in "/"."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(entry)
    buffer.seek(0)
    return buffer


def test_what_the_archive_does_not_have_goes_and_nothing_behind_a_link(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "out"
    for path in ("outside/f", "out/d/kept", "out/d/e/old", "out/file/in", "out/folder"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (folder / "link").symlink_to(outside)
    (folder / "d/to").symlink_to(outside)

    remove_others(archive("d/", "d/kept", "d/to/", "file", "folder/", "folder/new"), str(folder))

    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == ["d", "d/kept"]
    assert os.listdir(outside) == ["f"]


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no such file or directory"):
        remove_others(archive(), str(tmp_path / "none"))
