from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wharf.storage import overlay_marks as marks
from wharf.storage.roots.comparison import Compared, changed_bytes, compared, write_changes
from wharf.storage.roots.union import Union
from wharf.storage.trees import FOLDER

pytestmark = pytest.mark.root


@pytest.fixture
def image(tmp_path: Path) -> Path:
    top = tmp_path / "image"
    (top / "d/deep").mkdir(parents=True)
    (top / "d/deep/f").write_text("12345")
    (top / "other").mkdir()
    (top / "other/g").write_text("1")
    return top


@pytest.fixture
def own(tmp_path: Path, image: Path) -> Path:
    return shutil.copytree(image, tmp_path / "own")


def changes(own: Path, image: Path) -> list[tuple[str, bool]]:
    fd = os.open(own, FOLDER)
    try:
        with Union([image]) as union:
            return [(os.fsdecode(change.path), change.node is None) for change in compared(Compared(fd, union))]
    finally:
        os.close(fd)


def test_a_copy_has_no_changes(own: Path, image: Path) -> None:
    assert changes(own, image) == []


def _rewritten(path: Path) -> None:
    """Write as many other bytes, and set the times back."""
    status = path.stat()
    path.write_text("54321")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda top: (top / "d/deep/f").write_text("54321"), [("d/deep/f", False)]),
        (lambda top: _rewritten(top / "d/deep/f"), [("d/deep/f", False)]),
        (lambda top: (top / "d/deep/f").chmod(0o600), [("d/deep/f", False)]),
        (lambda top: os.setxattr(top / "d/deep/f", "user.k", b"v"), [("d/deep/f", False)]),
        (lambda top: (top / "d/deep").chmod(0o700), [("d/deep", False)]),
        (lambda top: _touched(top / "d/deep"), []),
        (lambda top: shutil.rmtree(top / "other"), [("other", True)]),
        (lambda top: (top / "other/g").unlink(), [("other/g", True)]),
        (lambda top: (top / "new").mkdir(), [("new", False)]),
    ],
)
def test_changes_are_found(own: Path, image: Path, change: Callable[[Path], object], found: list[object]) -> None:
    change(own)

    assert changes(own, image) == found


def test_a_folder_in_the_place_of_a_file_hides_it_and_is_written_so(own: Path, image: Path, tmp_path: Path) -> None:
    (own / "other/g").unlink()
    (own / "other/g").mkdir()
    (own / "other/g/h").write_text("123")
    (own / "other").chmod(0o711)
    (tmp_path / "changes").mkdir()
    fd = os.open(own, FOLDER)
    try:
        with Union([image]) as union:
            write_changes(Compared(fd, union), tmp_path / "changes")
            assert changed_bytes(Compared(fd, union)) == 3
    finally:
        os.close(fd)
    written = os.open(tmp_path / "changes/other/g", FOLDER)
    try:
        assert marks.is_opaque(written)
    finally:
        os.close(written)
    assert (tmp_path / "changes/other").stat().st_mode & 0o777 == 0o711
    assert not (tmp_path / "changes/d").exists()
