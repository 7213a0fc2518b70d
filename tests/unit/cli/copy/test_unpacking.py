from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from wharf.cli.copy.rules import Plan
from wharf.cli.copy.unpacking import Chunks, unpack
from wharf.errors import InvalidArgument


def archive(*entries: tuple[str, bytes, str]) -> Chunks:
    """An archive of (name, type, link's target)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, target, 0o755
            tar.addfile(entry)
    return Chunks([packed.getvalue()])


@pytest.mark.parametrize(
    "entries",
    [
        [("d", tarfile.SYMTYPE, "{out}"), ("d/escaped", tarfile.REGTYPE, "")],
        [("d", tarfile.SYMTYPE, ".."), ("d/escaped", tarfile.REGTYPE, "")],
        [("../escaped", tarfile.REGTYPE, "")],
        [("d", tarfile.SYMTYPE, "{out}"), ("l", tarfile.LNKTYPE, "d/secret")],
        [("l", tarfile.LNKTYPE, "../secret")],
    ],
)
def test_nothing_of_an_archive_leads_out(tmp_path: Path, entries: list[tuple[str, bytes, str]]) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "secret").write_text("here")
    hostile = archive(*((name, kind, target.format(out=tmp_path)) for name, kind, target in entries))

    with pytest.raises(InvalidArgument):
        unpack(hostile, Plan(str(tmp_path / "to")), owners=False)

    assert (sorted(p.name for p in tmp_path.iterdir()), (tmp_path / "secret").stat().st_nlink) == (
        ["secret", "to"],
        1,
    )


def test_an_absolute_name_lands_below_the_destination(tmp_path: Path) -> None:
    unpack(archive(("/etc", tarfile.DIRTYPE, ""), ("/etc/x", tarfile.REGTYPE, "")), Plan(str(tmp_path)), owners=False)

    assert (tmp_path / "etc/x").is_file()


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("file")

    with pytest.raises(InvalidArgument, match='cannot overwrite non-directory "x" with directory "x"'):
        unpack(archive(("x", tarfile.DIRTYPE, "")), Plan(str(tmp_path)), owners=False)


def test_hard_links_are_made_again(tmp_path: Path) -> None:
    unpack(
        archive(("dir", tarfile.DIRTYPE, ""), ("dir/a", tarfile.REGTYPE, ""), ("dir/b", tarfile.LNKTYPE, "dir/a")),
        Plan(str(tmp_path), "dir", "new"),
        owners=False,
    )

    assert (tmp_path / "new/a").stat().st_ino == (tmp_path / "new/b").stat().st_ino


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="archive is damaged"):
        unpack(Chunks([b"x" * 1024]), Plan(str(tmp_path)), owners=False)
