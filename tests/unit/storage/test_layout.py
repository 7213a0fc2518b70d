from __future__ import annotations

from pathlib import Path

import pytest

from wharf.storage.layout import DataRoot, RunRoot, default_places, root_key, run_root_of


def test_the_default_data_root_has_the_run_root_itself_and_others_a_folder_of_their_own_in_it() -> None:
    default = default_places()
    shared = Path(default.run_root)
    other = Path("/srv/other")

    assert run_root_of(Path(default.data_root)) == RunRoot(shared)
    assert run_root_of(other) == RunRoot(shared / "roots" / root_key(other), shared)
    assert run_root_of(other).seccomp == run_root_of(Path(default.data_root)).seccomp == shared / "seccomp"
    assert RunRoot(Path("/own")).seccomp == Path("/own/seccomp")


def test_a_root_has_one_key_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "link").symlink_to(root)

    assert root_key(tmp_path / "link") == root_key(root) == DataRoot(root).key
    assert root_key(tmp_path) != root_key(root)
    assert len(root_key(root)) == 8


def test_a_plain_users_run_root_is_below_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")

    assert run_root_of(Path("/srv/other")).path.is_relative_to("/run/user/1000")
