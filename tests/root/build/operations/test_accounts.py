from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.build.graph.operations import Owner
from wharf.build.operations.accounts import ids_of
from wharf.errors import InvalidArgument
from wharf.storage.trees import FOLDER


def test_names_are_the_trees_own(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("# x\nroot:x:7:8::/:/bin/sh\n")
    (tmp_path / "etc/group").symlink_to("/etc/groups")
    (tmp_path / "etc/groups").write_text("staff:x:9:\n")
    fd = os.open(tmp_path, FOLDER)
    try:
        assert ids_of(Owner("root"), fd) == (7, 8)
        assert ids_of(Owner("root", "staff"), fd) == (7, 9)
        assert ids_of(Owner(5), fd) == (5, 5)
        assert ids_of(Owner(5, 6), None) == (5, 6)
        assert ids_of(None, fd) == (None, None)
        with pytest.raises(InvalidArgument, match="unable to find user you"):
            ids_of(Owner("you"), fd)
        with pytest.raises(InvalidArgument, match="unable to find group wheel"):
            ids_of(Owner(1, "wheel"), fd)
    finally:
        os.close(fd)
