from __future__ import annotations

import pytest

from wharf.build.convert.remotes import GitAddress, is_web, parse_git
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://h/a.git", GitAddress("https://h/a.git")),
        ("https://h/a.git#v1:sub", GitAddress("https://h/a.git", "v1", "sub")),
        ("git@h:a/b.git#x", GitAddress("git@h:a/b.git", "x")),
        ("ssh://git@h/a", GitAddress("ssh://git@h/a")),
        ("github.com/a/b", GitAddress("https://github.com/a/b")),
        ("https://h/a.git?tag=v1&subdir=s", GitAddress("https://h/a.git", "refs/tags/v1", "s")),
        ("https://h/a.git?commit=ab", GitAddress("https://h/a.git", "ab", checksum="ab")),
        ("https://h/a.git?mtime=commit", GitAddress("https://h/a.git", commit_times=True)),
        ("https://h/a.git?mtime=checkout", GitAddress("https://h/a.git")),
        ("https://h/a.tar.gz", None),
        ("a/b", None),
    ],
)
def test_an_address_is_a_repositorys_or_none(text: str, expected: GitAddress | None) -> None:
    assert parse_git(text) == expected


def test_a_web_address_is_no_repositorys() -> None:
    assert (is_web("https://h/f"), is_web("https://h/f.git"), is_web("f")) == (True, False, False)


def test_unknown_and_contradicting_queries_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="unexpected query 'x'"):
        parse_git("https://h/a.git?x=1")
    with pytest.raises(InvalidArgument, match="invalid mtime value: 'never'"):
        parse_git("https://h/a.git?mtime=never")
    with pytest.raises(InvalidArgument, match="conflicting refs"):
        parse_git("https://h/a.git?branch=b#v1")


def test_a_source_says_all_of_it() -> None:
    address = GitAddress("https://h/a.git", "v1", "s", submodules=False)

    assert GitAddress("r", commit_times=True).attributes == {"git.mtime": "commit"}
    assert (address.identifier, address.attributes) == ("git://https://h/a.git#v1:s", {"git.skipsubmodules": "true"})
