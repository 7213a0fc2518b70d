from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.root.mounts import changed, mounts

from wharf.kernel import mount, overlay

pytestmark = pytest.mark.root


@pytest.fixture
def layers(tmp_path: Path) -> list[str]:
    names = ["one", "two, with: signs", "x" * 200]
    for name in [*names, "upper", "work", "target"]:
        (tmp_path / name).mkdir()
    for name in names:
        (tmp_path / name / name[:3]).write_text(name)
    (tmp_path / "one" / "both").write_text("uppermost")
    (tmp_path / names[1] / "both").write_text("below")
    return [str(tmp_path / name) for name in names]


def test_a_layer_that_is_not_there_is_named_and_nothing_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(FileNotFoundError) as caught:
        overlay.detached([f"{tmp_path}/nope", str(tmp_path)])

    assert (caught.value.filename, len(os.listdir("/proc/self/fd"))) == (f"{tmp_path}/nope", before)


def test_an_upper_folder_needs_a_work_folder(layers: list[str]) -> None:
    with pytest.raises(ValueError, match="work folder"):
        overlay.detached(layers, upper="/x")


def test_a_detached_overlay_is_seen_by_nobody_and_goes_with_its_descriptor(layers: list[str], tmp_path: Path) -> None:
    before = mounts()
    fd = overlay.detached(layers, f"{tmp_path}/upper", f"{tmp_path}/work")

    names = sorted(os.listdir(f"/proc/self/fd/{fd}"))
    os.close(os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=fd))

    assert names == ["both", "one", "two", "xxx"]
    assert os.listdir(tmp_path / "upper") == ["new"]
    assert changed(before) == []
    os.close(fd)


def test_one_layer_alone_is_a_read_only_copy_of_its_mount(layers: list[str]) -> None:
    fd = overlay.detached(layers[:1])

    with pytest.raises(OSError, match="Read-only file system"):
        os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.close(fd)


def test_older_kernels_get_all_layers_in_one_option(layers: list[str], tmp_path: Path) -> None:
    target = tmp_path / "target"

    overlay.attach(str(target), layers, f"{tmp_path}/upper", f"{tmp_path}/work")

    assert (target / "both").read_text() == "uppermost"
    mount.umount(str(target), mount.UmountFlag.DETACH)
