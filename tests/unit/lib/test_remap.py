"""Ids of a container and of the machine, either way."""

from __future__ import annotations

import pytest

from wharf.lib.remap import NOBODY, Remap, parse

TWO = Remap(((1000, 1), (100_000, 10)), ((200, 5),))


def test_ranges_follow_each_other_from_0_on() -> None:
    assert TWO.maps == ("0 1000 1\n1 100000 10\n", "0 200 5\n")
    assert TWO.root == (1000, 200)


def test_ids_go_out_and_come_back() -> None:
    assert [TWO.outside(*ids) for ids in ((0, 0), (1, 4), (10, 1))] == [(1000, 200), (100_000, 204), (100_009, 201)]
    assert [TWO.inside(*ids) for ids in ((1000, 200), (100_000, 204), (100_009, 201))] == [(0, 0), (1, 4), (10, 1)]


def test_who_a_container_does_not_have_is_nobody_there() -> None:
    assert TWO.inside(0, 205) == (NOBODY, NOBODY)


@pytest.mark.parametrize("ids", [(11, 0), (0, 5)])
def test_an_owner_that_a_container_does_not_have_is_said(ids: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"owner {ids[0]}:{ids[1]} does not exist"):
        TWO.outside(*ids)


def test_the_maps_of_a_process_are_read_again() -> None:
    assert parse(*TWO.maps) == TWO


def test_a_process_whose_users_are_the_machines_has_none() -> None:
    everybody = "         0          0 4294967295\n"
    assert parse(everybody, everybody) is None
