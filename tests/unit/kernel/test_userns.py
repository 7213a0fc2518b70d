from __future__ import annotations

from pathlib import Path

from wharf.kernel import userns

_INITIAL = b"         0          0 4294967295\n"


def test_maps_are_read_row_by_row() -> None:
    assert userns.mapped(b"  0  1000  1\n  1  100000  65536\n") == [(0, 1000, 1), (1, 100000, 65536)]


def test_the_first_namespace_maps_every_id_to_itself() -> None:
    assert [userns.is_initial(text) for text in (_INITIAL, b"0 1000 1\n", b"")] == [True, False, False]


def test_the_callers_own_maps_are_meant() -> None:
    own = Path("/proc/self/uid_map").read_bytes()

    assert userns.inside() is not userns.is_initial(own)
    assert userns.has_one_id() is (sum(count for _, _, count in userns.mapped(own)) == 1)


def test_groups_may_be_set_where_the_kernel_says_so() -> None:
    assert userns.may_set_groups() is (Path("/proc/self/setgroups").read_text() == "allow\n")
