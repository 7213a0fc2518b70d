from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from wharf.cli.build.context import Context
from wharf.errors import InvalidArgument


def _members(context: Context) -> dict[str, bytes | None]:
    data = b"".join(context.archive())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {
            member.name: file.read() if member.isfile() and (file := archive.extractfile(member)) else None
            for member in archive
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c/d/e").mkdir(parents=True)
    for name in ("Dockerfile", "a", "d/b", "d/e/c"):
        (tmp_path / "c" / name).write_text(name)
    (tmp_path / "c/link").symlink_to("d")
    return tmp_path / "c"


def test_all_is_sent_in_a_fixed_order_as_roots(folder: Path) -> None:
    context = Context(str(folder))

    assert list(_members(context)) == ["d", "Dockerfile", "a", "link", "d/e", "d/b", "d/e/c"]
    assert context.dockerfile == "Dockerfile"
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.archive()))) as archive:
        assert {member.uid for member in archive} == {0}


def test_what_is_ignored_stays_but_not_what_the_engine_needs(folder: Path) -> None:
    (folder / ".dockerignore").write_text("*\n!d/e\n")

    assert sorted(_members(Context(str(folder)))) == [".dockerignore", "Dockerfile", "d/e", "d/e/c"]


def test_a_dockerfile_has_an_ignore_file_of_its_own(folder: Path) -> None:
    (folder / ".dockerignore").write_text("a\n")
    (folder / "Dockerfile.dockerignore").write_text("d\n")

    assert sorted(_members(Context(str(folder)))) == [
        ".dockerignore",
        "Dockerfile",
        "Dockerfile.dockerignore",
        "a",
        "link",
    ]


def test_a_dockerfile_may_lie_elsewhere_or_be_no_file(folder: Path) -> None:
    (folder.parent / "Other").write_text("FROM other")
    elsewhere, given = Context(str(folder), str(folder.parent / "Other")), Context(str(folder), text=b"FROM given")

    assert _members(elsewhere)[elsewhere.dockerfile] == b"FROM other"
    assert _members(given)[given.dockerfile] == b"FROM given"


def test_what_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="not found"):
        Context(str(folder / "none"))
    with pytest.raises(InvalidArgument, match="there is no Dockerfile"):
        Context(str(folder), "none")
    (folder / ".dockerignore").write_text("[a\n")
    with pytest.raises(InvalidArgument, match="error checking context"):
        Context(str(folder))
    (folder / ".dockerignore").unlink()
    (folder / ".dockerignore").mkdir()
    with pytest.raises(InvalidArgument, match=r"error reading \.dockerignore: is a directory"):
        Context(str(folder))


def test_an_ignore_file_that_is_none_is_not_waited_for(folder: Path) -> None:
    (folder / ".dockerignore").unlink(missing_ok=True)
    os.mkfifo(folder / ".dockerignore")

    assert _members(Context(str(folder)))["Dockerfile"] == b"Dockerfile"
