from __future__ import annotations

import pytest

from wharf.cli.copy.rules import Place, Plan, followed_name, parse_end, plan, rename, split_entry
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("box:/file", ("box", "/file")),
        ("box:file", ("box", "file")),
        ("./box:file", ("", "./box:file")),
        ("/a:b", ("", "/a:b")),
        ("a/b:c", ("", "a/b:c")),
        ("file", ("", "file")),
        ("-", ("", "-")),
    ],
)
def test_an_end_is_a_container_and_a_path_or_a_path_here(text: str, end: tuple[str, str]) -> None:
    assert parse_end(text) == end


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a/b", ("/a", "b")),
        ("/a/b/", ("/a", "b")),
        ("/a/b/.", ("/a/b", ".")),
        ("a", (".", "a")),
        (".", (".", ".")),
        ("/", ("/", "/")),
    ],
)
def test_a_path_that_ends_in_a_dot_names_the_content(path: str, parts: tuple[str, str]) -> None:
    assert split_entry(path) == parts


FILE, FOLDER = Place("/s/file"), Place("/s/folder", folder=True)


@pytest.mark.parametrize(
    ("source", "target", "made"),
    [
        (FILE, Place("/t", folder=True), Plan("/t")),
        (FOLDER, Place("/t", folder=True), Plan("/t")),
        (FILE, Place("/t/old"), Plan("/t", "file", "old")),
        (FILE, Place("/t/new", exists=False), Plan("/t", "file", "new")),
        (FOLDER, Place("/t/new", exists=False), Plan("/t", "folder", "new")),
        (Place("/s/folder/.", folder=True), Place("/t/new", exists=False), Plan("/t", ".", "new")),
        (FILE._replace(renamed="link"), Place("/t/new", exists=False), Plan("/t", "link", "new")),
    ],
)
def test_where_a_copy_goes(source: Place, target: Place, made: Plan) -> None:
    assert plan(source, target) == made


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (FOLDER, Place("/t/old"), "cannot copy directory"),
        (FILE, Place("/t/new/", exists=False), "no such directory"),
    ],
)
def test_what_cannot_be_copied(source: Place, target: Place, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        plan(source, target)


@pytest.mark.parametrize(
    ("name", "old", "new", "renamed"),
    [
        ("file", "file", "new", "new"),
        ("dir/in", "dir", "new", "new/in"),
        ("directory/in", "dir", "new", "directory/in"),
        ("./in", ".", "new", "new/in"),
        ("/bin/sh", "/", "new", "new/bin/sh"),
        ("/", "/", "new", "new"),
        ("file", "", "", "file"),
    ],
)
def test_only_the_first_name_changes(name: str, old: str, new: str, renamed: str) -> None:
    assert rename(name, old, new) == renamed


def test_a_followed_symlink_keeps_its_name() -> None:
    assert followed_name("/link", "/target") == ("/target", "link")
    assert followed_name("/a/same", "/b/same") == ("/b/same", "")
    assert followed_name("/link/.", "/target") == ("/target/.", "")
