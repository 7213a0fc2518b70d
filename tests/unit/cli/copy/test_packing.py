from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from wharf.cli.copy.packing import Packed, local_source
from wharf.cli.copy.rules import Plan
from wharf.errors import InvalidArgument


def entries(packed: Packed) -> dict[str, bytes | str | None]:
    """What an archive holds, by name: a file's bytes, a link's target."""
    data = b"".join(packed)
    assert packed.size == len(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {
            entry.name: entry.linkname
            if entry.linkname
            else file.read()
            if (file := tar.extractfile(entry))
            else None
            for entry in tar
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dir/sub").mkdir(parents=True)
    (tmp_path / "dir/file").write_bytes(b"x" * 1000)
    (tmp_path / "dir/link").symlink_to("/gone")
    (tmp_path / "dir/sub/hard").hardlink_to(tmp_path / "dir/file")
    (tmp_path / "to-dir").symlink_to("dir")
    return tmp_path


def test_a_folder_is_packed_under_its_name(folder: Path) -> None:
    source = local_source(str(folder / "dir"), follow=False)

    assert entries(Packed(source, Plan("/to"))) == {
        "dir": None, "dir/file": b"x" * 1000, "dir/link": "/gone", "dir/sub": None, "dir/sub/hard": "dir/file",
    }  # fmt: skip


def test_a_folder_is_packed_under_the_name_that_the_plan_gives(folder: Path) -> None:
    source = local_source(f"{folder}/dir/sub/.", follow=False)

    assert entries(Packed(source, Plan("/to", ".", "new"))) == {"new": None, "new/hard": b"x" * 1000}


def test_a_symlink_is_packed_as_such_unless_it_is_followed(folder: Path) -> None:
    link = local_source(str(folder / "to-dir"), follow=False)
    followed = local_source(str(folder / "to-dir"), follow=True)

    assert (link.folder, entries(Packed(link, Plan("/to")))) == (False, {"to-dir": "dir"})
    assert (followed.folder, followed.renamed) == (True, "to-dir")
    assert "to-dir/sub/hard" in entries(Packed(followed, Plan("/to")))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no such file or directory"):
        local_source(str(tmp_path / "gone"), follow=False)
