from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.engine.containers.owner import owner
from wharf.errors import InvalidArgument


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("staff:x:50:\n")
    fd = os.open(tmp_path, os.O_PATH)
    yield fd
    os.close(fd)


@pytest.mark.parametrize(
    ("user", "ids"),
    [("", (0, 0)), ("web", (33, 44)), ("33", (33, 44)), ("web:staff", (33, 50)), ("7:8", (7, 8)), ("9", (9, 0))],
)
def test_names_are_looked_up_in_the_containers_own_files(root: int, user: str, ids: tuple[int, int]) -> None:
    assert owner(root, user) == ids


@pytest.mark.parametrize("user", ["nobody", "web:nobody"])
def test_unknown_names_are_refused(root: int, user: str) -> None:
    with pytest.raises(InvalidArgument, match="nobody: no matching entries"):
        owner(root, user)
