from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wharf.kernel import seccomp
from wharf.runtime import filters

_ALLOW: Any = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_KILL"}]}


def test_a_filter_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first, flags = filters.load(_ALLOW, str(cache))
    monkeypatch.setattr(seccomp, "compile_filter", lambda _document: pytest.fail("it was compiled again"))

    assert filters.load(_ALLOW, str(cache)) == (first, flags)
    assert first
    assert len(first) % 8 == 0
    assert os.stat(cache).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)

    program, _ = filters.load(_ALLOW, str(tmp_path / "cache"))
    assert program == seccomp.compile_filter(_ALLOW)
    assert os.listdir(tmp_path / "cache") == []


def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "elsewhere")

    assert filters.load(_ALLOW, str(tmp_path / "cache"))[0] == seccomp.compile_filter(_ALLOW)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    for number in range(70):
        (tmp_path / f"{number}.bpf").write_bytes(b"old")
    tmp_path.chmod(0o700)

    filters.load(_ALLOW, str(tmp_path))
    assert len(os.listdir(tmp_path)) == 1
