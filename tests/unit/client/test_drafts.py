from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wharf.client.drafts import NotReplaceable, draft_file, draft_folder, sweep, whole_file

_MAKES = """
import os, sys
from wharf.client.drafts import draft_file, draft_folder
parent = sys.argv[1]
path, fd = draft_file(parent, ".part-")
os.write(fd, b"half")
with draft_folder(parent, ".new-") as folder:
    open(os.path.join(folder, "half"), "w").close()
    print("made", flush=True)
    sys.stdin.read()
"""


def test_what_a_kill_has_left_goes_and_what_is_being_made_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _MAKES, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == b"made\n"
        (tmp_path / "whole").write_text("x")
        for prefix in (".part-", ".new-"):
            sweep(str(tmp_path), prefix)
        assert len(list(tmp_path.iterdir())) == 3

        maker.kill()
        maker.wait()

    sweep(str(tmp_path), ".part-")
    assert sorted(path.name[:5] for path in tmp_path.iterdir()) == [".new-", "whole"]
    sweep(str(tmp_path), ".new-")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_folder_that_got_its_name_stays_and_one_that_did_not_goes(tmp_path: Path) -> None:
    with draft_folder(str(tmp_path), ".new-") as first:
        os.rename(first, tmp_path / "whole")
    with pytest.raises(RuntimeError), draft_folder(str(tmp_path), ".new-"):
        raise RuntimeError

    assert os.listdir(tmp_path) == ["whole"]


def test_a_draft_that_was_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["a", "b"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(names))
    opened = os.open

    def swept(path: str, flags: int, mode: int = 0o777) -> int:
        fd = opened(path, flags, mode)
        if path.endswith(".part-a"):
            os.unlink(path)
        return fd

    monkeypatch.setattr("os.open", swept)
    path, fd = draft_file(str(tmp_path), ".part-")
    os.close(fd)

    assert (path, os.listdir(tmp_path)) == (str(tmp_path / ".part-b"), [".part-b"])


def test_a_folder_that_was_swept_before_it_was_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["a", "b"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(names))
    opened = os.open

    def swept(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith(".new-a"):
            os.rmdir(path)
        return opened(path, flags, mode)

    monkeypatch.setattr("os.open", swept)
    with draft_folder(str(tmp_path), ".new-") as folder:
        assert folder == str(tmp_path / ".new-b")
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError), draft_folder(str(tmp_path / "nowhere"), ".new-"):
        pass


def test_there_need_be_nothing_to_sweep(tmp_path: Path) -> None:
    sweep(str(tmp_path / "nowhere"), ".new-")
    (tmp_path / ".new-link").symlink_to("/etc/hostname")
    sweep(str(tmp_path), ".new-")

    assert os.listdir(tmp_path) == [".new-link"]


def _break_off(path: Path) -> None:
    with whole_file(str(path)) as file:
        file.write(b"half")
        raise KeyError


def test_a_file_is_replaced_by_a_whole_one_or_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(KeyError):
        _break_off(path)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]

    with whole_file(str(path)) as file:
        file.write(b"new")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["new"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.symlink("/dev/null", tmp_path / "link")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link", tmp_path / "socket"):
        with pytest.raises(NotReplaceable, match="cannot write to a"), whole_file(str(path)):
            pass
    assert len(os.listdir(tmp_path)) == 3
