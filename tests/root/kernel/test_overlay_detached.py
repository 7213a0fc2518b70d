from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.root.mounts import changed, mounts

from wharf.kernel import overlay_detached


def _layers(tmp_path: Path) -> tuple[list[str], str, str]:
    for name in ("upper", "work", "high", "low"):
        (tmp_path / name).mkdir()
    (tmp_path / "low/a").write_text("low")
    (tmp_path / "high/b").write_text("high")
    return [str(tmp_path / "high"), str(tmp_path / "low")], str(tmp_path / "upper"), str(tmp_path / "work")


@pytest.mark.parametrize("make", [overlay_detached.detached, overlay_detached.aside])
def test_layers_are_seen_and_changed_through_a_descriptor_alone(make: object, tmp_path: Path) -> None:
    lower, upper, work = _layers(tmp_path)
    before = mounts()

    mount = make(lower, upper, work)  # type: ignore[operator]
    try:
        assert sorted(os.listdir(f"/proc/self/fd/{mount}")) == ["a", "b"]
        fd = os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=os.open(".", os.O_RDONLY, dir_fd=mount))
        os.close(fd)
    finally:
        os.close(mount)

    assert os.listdir(upper) == ["new"]
    assert sorted(os.listdir(lower[0])) == ["b"]
    assert changed(before) == []


def test_what_the_kernel_refuses_is_raised(tmp_path: Path) -> None:
    lower, _, _ = _layers(tmp_path)

    with pytest.raises(OSError, match="No such file"):
        overlay_detached.aside([*lower, str(tmp_path / "none")])
