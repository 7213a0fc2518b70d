from __future__ import annotations

import stat
from pathlib import Path

from conformance.build_context import write_ignoring, write_tree


def test_the_tree_is_the_same_each_time(tmp_path: Path) -> None:
    trees = [tmp_path / "one", tmp_path / "two"]
    for tree in trees:
        tree.mkdir()
        write_tree(tree)

    one, two = ({path.relative_to(tree): path.lstat() for path in tree.rglob("*")} for tree in trees)
    assert one.keys() == two.keys()
    assert all((a.st_mode, a.st_mtime, a.st_size) == (two[name].st_mode, two[name].st_mtime, two[name].st_size)
               for name, a in one.items() if not stat.S_ISDIR(a.st_mode))  # fmt: skip
    assert stat.S_IMODE(one[Path("c")].st_mode) == 0o600
    assert stat.S_ISLNK(one[Path("folder/gone")].st_mode)


def test_the_other_context_ignores_some_of_its_files(tmp_path: Path) -> None:
    write_ignoring(tmp_path)

    assert "*.log" in (tmp_path / ".dockerignore").read_text()
    assert (tmp_path / "sub/two.log").read_text() == "sub/two.log\n"
