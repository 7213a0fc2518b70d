"""Layers made one, beside the kernel's overlay of them: both must show the same tree on the same base."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wharf.kernel import overlay_detached, overlay_options
from wharf.storage.diff import unpack
from wharf.storage.squashing import nothing_below, squash
from wharf.storage.trees import FOLDER, walk

pytestmark = pytest.mark.root

Entries = dict[str, bytes | None]
"""An archive: content of files, None for folders."""


def archive(entries: Entries) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number, (name, content) in enumerate(entries.items()):
            member = tarfile.TarInfo(name)
            member.mtime = 1_600_000_000 + number
            member.mode = 0o640 if content is not None else 0o750
            if content is None:
                member.type = tarfile.DIRTYPE
            member.size = len(content or b"")
            tar.addfile(member, io.BytesIO(content or b""))
    out.seek(0)
    return out


def folders(tmp_path: Path, *layers: Entries) -> list[Path]:
    made = []
    for number, entries in enumerate(layers):
        folder = tmp_path / f"layer{number}"
        folder.mkdir()
        fd = os.open(folder, FOLDER)
        unpack(archive(entries), fd)
        os.close(fd)
        made.append(folder)
    return made


def seen(layers: list[Path]) -> dict[bytes, tuple[object, ...]]:
    """Everything that an overlay of these shows, the lowest first."""
    empty = layers[0].parent / "empty"
    empty.mkdir(exist_ok=True)
    lower = [str(path) for path in reversed([empty, *layers])]
    mount = overlay_detached.detached(lower, None, None, options=overlay_options.mapping())
    try:
        top = os.open(".", FOLDER, dir_fd=mount)
        try:
            return {node.path: _facts(node.status, node.folder_fd, node.name) for node in walk(top)}
        finally:
            os.close(top)
    finally:
        os.close(mount)


def _facts(status: os.stat_result, folder: int, name: bytes) -> tuple[object, ...]:
    content = b""
    if stat.S_ISREG(status.st_mode):
        with open(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as file:
            content = file.read()
    return status.st_mode, status.st_mtime_ns, content


def squashed(tmp_path: Path, layers: list[Path], below: Callable[[bytes], bool] = nothing_below) -> Path:
    target = tmp_path / "squashed"
    target.mkdir()
    fds = [os.open(path, FOLDER) for path in (*layers, target)]
    try:
        squash(fds[:-1], fds[-1], below)
    finally:
        for fd in fds:
            os.close(fd)
    return target


BASE: Entries = {"d": None, "d/old": b"old", "e": None, "e/x": b"x", "f": b"f", "g": None, "g/y": b"y"}
STACKS: dict[str, list[Entries]] = {
    "a file changes": [{"f": b"1"}, {"f": b"2"}],
    "a file goes": [{".wh.f": b""}],
    "a new file comes and goes": [{"n": b"1"}, {".wh.n": b""}],
    "a folder goes and comes": [{".wh.d": b""}, {"d": None, "d/new": b"new"}],
    "a folder is replaced": [{"d": None, "d/.wh..wh..opq": b"", "d/new": b"new"}, {"d": None, "d/more": b"more"}],
    "a folder of ours is replaced": [{"h": None, "h/a": b"a"}, {"h": None, "h/.wh..wh..opq": b"", "h/b": b"b"}],
    "a folder becomes a file and a folder": [
        {".wh.e": b"", "g": None},
        {"e": b"now a file"},
        {"e": None, "e/z": b"z"},
    ],
    "a file becomes a folder": [{"f": None, "f/in": b"in"}],
    "what is in a folder goes": [{"d": None, "d/.wh.old": b"", "d/n": b"n"}, {"d": None, "d/.wh.n": b""}],
    "a folder of ours goes": [{"h": None, "h/a": b"a"}, {".wh.h": b""}],
}


@pytest.mark.parametrize("name", list(STACKS))
def test_one_layer_does_what_the_layers_did(tmp_path: Path, name: str) -> None:
    base, *layers = folders(tmp_path, BASE, *STACKS[name])
    one = squashed(tmp_path, layers, lambda path: (base / os.fsdecode(path)).exists())

    assert seen([base, one]) == seen([base, *layers])


@pytest.mark.parametrize("name", list(STACKS))
def test_without_a_base_no_deletion_is_left(tmp_path: Path, name: str) -> None:
    layers = folders(tmp_path, BASE, *STACKS[name])
    one = squashed(tmp_path, layers)

    assert seen([one]) == seen(layers)
    assert not [path for path in one.rglob("*") if stat.S_ISCHR(path.lstat().st_mode)]


def test_links_stay_links(tmp_path: Path) -> None:
    [layer] = folders(tmp_path, {"a": b"1"})
    os.link(layer / "a", layer / "b")
    one = squashed(tmp_path, [layer])

    assert (one / "a").stat().st_ino == (one / "b").stat().st_ino
