from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from wharf.errors import InvalidArgument, Unavailable
from wharf.network import ipam

_SMALL = IPv4Network("10.0.0.0/29")  # hosts .1 to .6


def test_full_subnet_is_an_error_that_names_the_network() -> None:
    taken = [f"10.0.0.{i}" for i in range(1, 7)]

    with pytest.raises(Unavailable, match="no available IPv4 addresses on this network's address pools: bridge"):
        ipam.allocate(_SMALL, taken, pool="bridge")


@pytest.mark.parametrize(
    ("taken", "after", "expected"),
    [
        (["10.0.0.1"], None, "10.0.0.2"),
        (["10.0.0.1"], "10.0.0.3", "10.0.0.4"),
        (["10.0.0.1"], "10.0.0.6", "10.0.0.2"),
        (["10.0.0.1", "10.0.0.5", "10.0.0.6"], "10.0.0.4", "10.0.0.2"),
        (["10.0.0.1"], "172.17.0.9", "10.0.0.2"),
    ],
)
def test_next_free_address_is_taken_round_about(taken: list[str], after: str | None, expected: str) -> None:
    assert ipam.allocate(_SMALL, taken, after=after) == expected


@pytest.mark.parametrize("wanted", ["nonsense", "10.0.0.0", "10.0.0.7", "10.0.1.1"])
def test_address_that_no_host_can_have_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidArgument):
        ipam.require_free(_SMALL, [], wanted)


def test_address_in_use_is_refused() -> None:
    with pytest.raises(Unavailable, match="Address already in use"):
        ipam.require_free(_SMALL, ["10.0.0.2"], "10.0.0.2")


def test_mac_follows_from_the_address() -> None:
    assert ipam.mac_of("172.17.0.2") == "02:42:ac:11:00:02"
