from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from wharf.build.operations.selection import Digests
from wharf.build.operations.unpacking import is_archive, unpack_into
from wharf.errors import InvalidArgument
from wharf.storage.trees import FOLDER


def _archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.uid = 1, 1000
            archive.addfile(member, io.BytesIO(b"x"))
    return buffer.getvalue()


def _unpack(data: bytes, folder: Path, owner: tuple[int, int] | None = None) -> int:
    fd = os.open(folder, FOLDER)
    try:
        return unpack_into(io.BytesIO(data), fd, owner=owner)
    finally:
        os.close(fd)


def test_an_archive_is_told_by_its_content() -> None:
    for data in (_archive("a"), gzip.compress(_archive("a"))):
        assert is_archive(io.BytesIO(data))
    for data in (b"", b"text", gzip.compress(b"text"), b"\x1f\x8bbroken", bytes(1024)):
        assert not is_archive(io.BytesIO(data))


def test_it_goes_over_what_is_there_and_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("")

    assert _unpack(gzip.compress(_archive("d/a", ".wh.kept")), tmp_path, (0, 0)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".wh.kept", "d", "kept"]
    assert (tmp_path / "d/a").stat().st_uid == 0


def test_into_a_layer_goes_nothing_that_would_be_a_mark_there(tmp_path: Path) -> None:
    fd = os.open(tmp_path, FOLDER)
    try:
        with pytest.raises(InvalidArgument, match=r'"d/\.wh\.x": no image can have it'):
            unpack_into(io.BytesIO(_archive("a", "d/.wh.x")), fd, into_layer=True)
    finally:
        os.close(fd)


def test_what_is_in_files_is_told_as_they_stay(tmp_path: Path) -> None:
    digests = Digests()
    fd = os.open(tmp_path, FOLDER)
    try:
        unpack_into(io.BytesIO(_archive("a", "d/b")), fd, owner=(0, 0), learn=digests.learn)
    finally:
        os.close(fd)

    digest = hashlib.sha256(b"x").hexdigest()
    assert [digests.known((tmp_path / name).stat()) for name in ("a", "d/b")] == [digest, digest]


def test_it_does_not_leave_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()

    with pytest.raises(InvalidArgument):
        _unpack(_archive("../out"), folder)
    assert not (tmp_path / "out").exists()
