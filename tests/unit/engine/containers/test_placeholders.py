from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.engine.containers.placeholders import Lacking, lacking, make
from wharf.storage.trees import opened_folder


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "image").mkdir()
    return tmp_path / "image"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "layer").mkdir(0o755)
    return tmp_path / "layer"


def _lacking(image: Path) -> Lacking:
    with opened_folder(image) as fd:
        return lacking(fd)


def _made(layer: Path, missing: Lacking) -> list[str]:
    with opened_folder(layer) as fd:
        make(fd, missing)
    return sorted(str(path.relative_to(layer)) for path in layer.rglob("*"))


def test_what_an_image_has_not_is_made_and_its_folders_keep_their_looks(image: Path, layer: Path) -> None:
    (image / "etc").mkdir()
    (image / "etc/hosts").write_text("its own")
    (image / "etc").chmod(0o750)
    os.utime(image / "etc", ns=(5, 7))
    os.utime(layer, ns=(1, 2))

    assert _made(layer, _lacking(image)) == [".dockerenv", "etc", "etc/hostname", "etc/mtab", "etc/resolv.conf"]

    etc = (layer / "etc").stat()
    assert (etc.st_mode & 0o7777, etc.st_mtime_ns, layer.stat().st_mtime_ns) == (0o750, 7, 2)
    assert os.readlink(layer / "etc/mtab") == "/proc/mounts"
    assert (layer / ".dockerenv").read_bytes() == (layer / "etc/hostname").read_bytes() == b""


def test_an_image_of_nothing_lacks_all_and_gets_an_etc_for_everybody(layer: Path) -> None:
    before = os.umask(0o077)
    try:
        assert len(_made(layer, lacking(None))) == 6
    finally:
        os.umask(before)
    assert (layer / "etc").stat().st_mode & 0o7777 == 0o755


def test_in_a_copy_of_the_image_only_what_is_not_there_is_made(layer: Path) -> None:
    (layer / "etc").mkdir()
    (layer / "etc/resolv.conf").symlink_to("elsewhere")
    (layer / ".dockerenv").write_text("its own")

    assert _made(layer, _lacking(layer)) == [
        ".dockerenv", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf",
    ]  # fmt: skip
    assert (layer / ".dockerenv").read_text() == "its own"
    assert os.readlink(layer / "etc/resolv.conf") == "elsewhere"


@pytest.mark.parametrize("kind", ["link", "file", "attribute"])
def test_in_an_etc_that_is_no_plain_folder_nothing_is_made(image: Path, layer: Path, kind: str) -> None:
    if kind == "link":
        (image / "etc").symlink_to("/etc")
    elif kind == "file":
        (image / "etc").write_text("")
    else:
        (image / "etc").mkdir()
        os.setxattr(image / "etc", "user.something", b"1")

    assert _made(layer, _lacking(image)) == [".dockerenv"]
