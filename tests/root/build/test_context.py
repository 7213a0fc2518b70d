from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from tests.root.build.operations.test_unpacking import _archive

from wharf.build import context
from wharf.errors import InvalidArgument
from wharf.storage.layout import DataRoot


@pytest.fixture
def data(tmp_path: Path) -> DataRoot:
    data = DataRoot(tmp_path)
    data.ingest.mkdir()
    return data


def test_a_builds_folder_goes_with_it_and_a_killed_ones_at_the_next_start(data: DataRoot) -> None:
    context.sweep(data)
    with context.workplace(data) as place:
        (place / "x").touch()
    (data.build_work / "left/over").mkdir(parents=True)

    context.sweep(data)

    assert list(data.build_work.iterdir()) == []


def test_everything_received_is_roots(tmp_path: Path) -> None:
    context.receive(io.BytesIO(_archive("Dockerfile", "d/x")), tmp_path / "c")

    assert (tmp_path / "c/d/x").stat().st_uid == 0
    assert context.read_dockerfile(tmp_path / "c", "") == b"x"


def test_a_download_is_an_archive_or_a_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(_archive("x"))
    (tmp_path / "b").write_text("FROM scratch")

    context.receive_file(tmp_path / "a", tmp_path / "1")
    context.receive_file(tmp_path / "b", tmp_path / "2")

    assert (tmp_path / "1/x").exists()
    assert context.read_dockerfile(tmp_path / "2", "") == b"FROM scratch"


def test_a_dockerfile_outside_of_the_context_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (tmp_path / "secret").write_text("no")
    (folder / "Dockerfile").symlink_to("../secret")
    (folder / "d").mkdir()

    with pytest.raises(InvalidArgument, match="Cannot locate specified Dockerfile: Dockerfile"):
        context.read_dockerfile(folder, "")
    with pytest.raises(InvalidArgument, match=r"Cannot locate specified Dockerfile: \.\./secret"):
        context.read_dockerfile(folder, "../secret")
    with pytest.raises(InvalidArgument, match="is a directory"):
        context.read_dockerfile(folder, "d")


def test_an_ignored_dockerfile_behind_a_link_is_dropped_inside_of_the_context_alone(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "c"
    within = folder / str(victim).lstrip("/")
    within.mkdir(parents=True)
    victim.mkdir()
    for place in (victim, within):
        (place / "f").write_text("FROM scratch\n")
    (folder / "l").symlink_to(victim)
    (folder / ".dockerignore").write_text("l/f\n")

    context.drop_ignored(folder, "l/f", context.read_ignored(folder, "l/f"))

    assert (victim / "f").exists()
    assert not (within / "f").exists()


@pytest.mark.parametrize("dockerfile", ["none/f", "Dockerfile/f", "../c/x", "/", ".."])
def test_what_is_no_file_of_a_context_cannot_be_dropped(tmp_path: Path, dockerfile: str) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "Dockerfile").write_text("x")
    (folder / ".dockerignore").write_text("**\n..\n!Dockerfile\n!.dockerignore\n")

    context.drop_ignored(folder, dockerfile, context.read_ignored(folder, dockerfile))

    assert sorted(path.name for path in folder.iterdir()) == [".dockerignore", "Dockerfile"]


def test_an_ignore_file_is_read_inside_of_the_context_and_never_waited_for(tmp_path: Path) -> None:
    folder, ignore = tmp_path / "c", tmp_path / "c/.dockerignore"
    folder.mkdir()
    (tmp_path / "out").write_text("a\n")
    (folder / "in").write_text("a\n")

    ignore.symlink_to("../out")
    assert not context.read_ignored(folder, "").matches("a")
    ignore.unlink()
    ignore.symlink_to("in")
    assert context.read_ignored(folder, "").matches("a")
    ignore.unlink()
    os.mkfifo(ignore)
    assert not context.read_ignored(folder, "").matches("a")
    ignore.unlink()
    ignore.symlink_to("zero")
    os.mknod(folder / "zero", 0o20644, os.makedev(1, 5))
    with pytest.raises(InvalidArgument, match=r"\.dockerignore is too large"):
        context.read_ignored(folder, "")


def test_patterns_that_lead_out_of_the_context_bring_nothing_in(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!../..\n!/etc/passwd\n!a\n")

    matcher = context.read_ignored(tmp_path, "")

    assert (matcher.matches("b"), matcher.matches("..")) == (True, True)
    assert not matcher.matches("a")


def test_what_ignores_itself_is_dropped(tmp_path: Path) -> None:
    for name, text in (("Dockerfile", "x"), (".dockerignore", "Dockerfile\n.dockerignore\nother\n"), ("other", "")):
        (tmp_path / name).write_text(text)

    context.drop_ignored(tmp_path, "", context.read_ignored(tmp_path, ""))

    assert [path.name for path in tmp_path.iterdir()] == ["other"]
