"""Two folders that hold the same layer, or not."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from wharf.storage.comparing import differences
from wharf.storage.trees import FOLDER

pytestmark = pytest.mark.root


def filled(folder: Path) -> Path:
    (folder / "d.x").mkdir(parents=True)
    (folder / "d").mkdir()
    (folder / "d/f").write_bytes(b"1" * 3_000_000)
    (folder / "link").symlink_to("d/f")
    os.mknod(folder / "gone", stat.S_IFCHR, 0)
    return folder


def between(one: Path, other: Path) -> list[str]:
    fds = [os.open(path, FOLDER) for path in (one, other)]
    try:
        return list(differences(*fds))
    finally:
        for fd in fds:
            os.close(fd)


def test_the_same_layer_differs_in_nothing(tmp_path: Path) -> None:
    assert between(filled(tmp_path / "a"), filled(tmp_path / "b")) == []


def test_times_sockets_and_overlays_notes_do_not_count(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a"), filled(tmp_path / "b")
    os.utime(other / "d/f", ns=(1, 1))
    os.setxattr(other / "d", "trusted.overlay.impure", b"y")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(other / "s"))

    assert between(one, other) == []


def _replaced(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _flipped(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(2_500_000)
        file.write(b"2")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda top: _flipped(top / "d/f"), "'d/f' has another content"),
        (lambda top: (top / "d/f").chmod(0o4755), "'d/f' has another owner or mode"),
        (lambda top: os.chown(top / "d", 7, 0), "'d' has another owner or mode"),
        (lambda top: (top / "d/f").unlink(), "'d/f' is missing"),
        (lambda top: (top / "d/g").touch(), "'d/g' is too much"),
        (lambda top: _replaced(top / "link"), "'link' has another kind"),
        (lambda top: os.setxattr(top / "d/f", "user.k", b"v"), "'d/f' has another attribute"),
        (lambda top: os.setxattr(top / "d", "trusted.overlay.opaque", b"y"), "'d' has another attribute"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, change: Callable[[Path], object], said: str) -> None:
    one, other = filled(tmp_path / "a"), filled(tmp_path / "b")
    change(other)

    assert between(one, other) == [said]


def test_links_and_devices_are_compared_by_what_they_lead_to(tmp_path: Path) -> None:
    one, other = filled(tmp_path / "a"), filled(tmp_path / "b")
    for name in ("link", "gone"):
        (other / name).unlink()
    (other / "link").symlink_to("elsewhere")
    os.mknod(other / "gone", stat.S_IFCHR, os.makedev(1, 3))

    assert between(one, other) == ["'gone' has another device number", "'link' has another target"]
