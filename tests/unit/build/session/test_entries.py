from __future__ import annotations

import stat as st

import pytest
from tests.fakes.buildkit_client import stat

from wharf.build.session.entries import Entry, Order, entry_of, go_mode_of, mode_of
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("go", "unix"),
    [
        (0o644, st.S_IFREG | 0o644),
        (1 << 31 | 0o755, st.S_IFDIR | 0o755),
        (1 << 27 | 0o777, st.S_IFLNK | 0o777),
        (1 << 26 | 1 << 21 | 0o600, st.S_IFCHR | 0o600),
        (1 << 26 | 0o600, st.S_IFBLK | 0o600),
        (1 << 25 | 0o600, st.S_IFIFO | 0o600),
        (1 << 23 | 1 << 22 | 0o755, st.S_IFREG | 0o6755),
        (1 << 31 | 1 << 20 | 0o777, st.S_IFDIR | 0o1777),
    ],
)
def test_gos_modes_are_unixs_and_back(go: int, unix: int) -> None:
    assert (mode_of(go), go_mode_of(unix)) == (unix, go)


def test_an_entry_says_what_was_sent() -> None:
    sent = stat("a/b", b"1234", mode=0o600, uid=7, xattrs={"user.k": b"v", "trusted.overlay.opaque": b"y"})

    assert entry_of(sent) == Entry("a/b", st.S_IFREG | 0o600, 4, 10**18, attributes={"user.k": b"v"})


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b", "x" * 5000])
def test_a_path_that_leaves_the_folder_or_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument):
        entry_of(stat(path))


@pytest.mark.parametrize(
    "more", [{"mode": 1 << 19}, {"linkname": "../x"}, {"linkname": "a\0"}, {"devmajor": -1}, {"devminor": 1 << 40}]
)
def test_a_file_that_cannot_be_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        entry_of(stat("a", **more))  # type: ignore[arg-type]


def _follow(*stats: tuple[str, bytes | None]) -> list[int]:
    order = Order()
    return [order.follow(entry_of(stat(path, content))) for path, content in stats]


def test_a_walk_is_followed_with_its_depth() -> None:
    walk = (("a", None), ("a/b", None), ("a/b/c", b""), ("a/d", b""), ("a.txt", b""), ("b", b""))

    assert _follow(*walk) == [0, 1, 2, 1, 0, 0]


@pytest.mark.parametrize(
    "stats",
    [
        [("b", b""), ("a", b"")],
        [("a", b""), ("a", b"")],
        [("a/b", b"")],
        [("a", b""), ("a/b", b"")],
        [("a", None), ("b", b""), ("a/c", b"")],
        [("a", None), ("b/c", b"")],
    ],
)
def test_what_is_out_of_order_or_in_a_folder_that_is_none_is_refused(stats: list[tuple[str, bytes | None]]) -> None:
    with pytest.raises(InvalidArgument, match="out of order"):
        _follow(*stats)
