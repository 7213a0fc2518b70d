"""The local driver mounts for real, and leaves nothing mounted."""

from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import WharfError
from wharf.storage.layout import DataRoot
from wharf.volumes.drivers import LocalDriver, is_mounted
from wharf.volumes.rows import Row

pytestmark = pytest.mark.root

TMPFS = Row("v", "", {}, options={"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=0700,nosuid"})


@pytest.fixture
def driver(tmp_path: Path) -> LocalDriver:
    data = DataRoot(tmp_path)
    data.volumes.mkdir()
    data.ingest.mkdir()
    return LocalDriver(data)


def mounted(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if line.split(" ")[4] == str(folder)]


def test_a_filesystem_is_mounted_once_and_until_its_last_user_is_gone(driver: LocalDriver, tmp_path: Path) -> None:
    driver.create(TMPFS)
    first, second = driver.mount(TMPFS, "a"), driver.mount(TMPFS, "b")
    folder = Path(first)
    (folder / "f").write_text("in memory")

    [line] = mounted(folder)
    assert (first, "nosuid" in line, "size=1024k" in line) == (second, True, True)

    driver.unmount(TMPFS, "a", 1)
    assert (folder / "f").exists()
    driver.unmount(TMPFS, "b", 0)
    assert (list(folder.iterdir()), mounted(folder)) == ([], [])


def test_a_folder_of_the_host_is_bound_read_only(driver: LocalDriver, tmp_path: Path) -> None:
    outside = tmp_path / "out side"
    outside.mkdir()
    (outside / "f").write_text("x")
    row = Row("b", "", {}, options={"type": "none", "device": str(outside), "o": "bind,ro"})
    driver.create(row)
    folder = Path(driver.mount(row, "a"))
    try:
        assert ((folder / "f").read_text(), is_mounted(folder)) == ("x", True)
        with pytest.raises(OSError, match="Read-only"):
            (folder / "g").write_text("y")
    finally:
        driver.remove(row)

    assert (is_mounted(folder), (outside / "f").read_text()) == (False, "x")


def test_what_cannot_be_mounted_is_told_in_dockers_words(driver: LocalDriver, tmp_path: Path) -> None:
    row = Row("n", "", {}, options={"type": "none", "device": "/nope", "o": "bind"})
    driver.create(row)
    with pytest.raises(WharfError) as failed:
        driver.mount(row, "a")

    folder = tmp_path / "volumes/n/_data"
    assert str(failed.value) == (
        f"error while mounting volume '{folder}': failed to mount local volume: "
        f"mount /nope:{folder}, flags: 0x1000: no such file or directory"
    )
