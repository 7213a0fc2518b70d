from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.root.rootless.conftest import plain_user, uplink
from tests.root.rootless.plain_user import PlainUser

from wharf.kernel import owner

__all__ = ["plain_user", "uplink"]
_SCRIPT = "import sys; from wharf.kernel import owner; owner.give(sys.argv[1], int(sys.argv[2]), 0)"


def test_files_folders_and_links_are_given(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    with (tmp_path / "file").open() as file:
        owner.give(file.fileno(), 5, 6)
    owner.give(tmp_path / "link", 7, 8)

    found = [os.lstat(tmp_path / name) for name in ("file", "link")]
    assert [(one.st_uid, one.st_gid) for one in found] == [(5, 6), (7, 8)]


@pytest.mark.parametrize("subordinate", [True, False])
def test_owners_that_a_namespace_has_not(plain_user: Callable[..., PlainUser], subordinate: bool) -> None:
    user = plain_user(subordinate=subordinate, environment={"WHARF_ROOTLESS_NETWORK": "none"})
    file = user.home / "h/file"
    file.touch()
    os.chown(file, user.uid, user.uid)

    said = user.inside("python3", "-c", _SCRIPT, str(file), "70000", code=1 if subordinate else 0)

    assert ("owner 70000:0 does not exist in this user namespace" in said) is subordinate
    assert file.stat().st_uid == user.uid
