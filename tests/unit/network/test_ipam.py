from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument, Unavailable
from wharf.network import ipam
from wharf.network.pools import Pool

_SMALL = Pool("10.0.0.0/29")  # hosts .1 to .6


def test_full_subnet_is_an_error_that_names_the_network() -> None:
    taken = [f"10.0.0.{i}" for i in range(1, 7)]

    with pytest.raises(Unavailable, match="no available IPv4 addresses on this network's address pools: bridge"):
        ipam.allocate(_SMALL, taken, name="bridge")


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
        ipam.require_free([_SMALL], [], wanted, version=4)


def test_address_in_use_is_refused() -> None:
    with pytest.raises(Unavailable, match="Address already in use"):
        ipam.require_free([_SMALL], ["10.0.0.2"], "10.0.0.2", version=4)


def test_mac_follows_from_the_address() -> None:
    assert ipam.mac_of("172.17.0.2") == "02:42:ac:11:00:02"


def test_gateway_and_auxiliary_addresses_are_nobodys() -> None:
    pool = Pool("10.0.0.0/29", "10.0.0.1", auxiliary={"printer": "10.0.0.2"})

    assert ipam.allocate(pool, []) == "10.0.0.3"
    with pytest.raises(Unavailable):
        ipam.require_free([pool], [], "10.0.0.2", version=4)


def test_addresses_are_of_the_range_when_there_is_one() -> None:
    pool = Pool("10.0.0.0/16", "10.0.0.1", "10.0.5.0/30")

    assert [ipam.allocate(pool, taken) for taken in ([], ["10.0.5.0"])] == ["10.0.5.0", "10.0.5.1"]


def test_ipv6_has_no_broadcast_address() -> None:
    pool = Pool("fd00::/126", "fd00::1")

    assert ipam.allocate(pool, ["fd00::2"]) == "fd00::3"


def test_subnet_of_two_gives_both() -> None:
    assert ipam.allocate(Pool("10.0.0.0/31", "10.0.0.0"), []) == "10.0.0.1"


@pytest.mark.parametrize(
    ("pool", "taken", "expected"),
    [
        (Pool("172.16.0.0/16", "172.16.0.1"), [], (3, 65533)),
        (Pool("10.0.0.0/29", "10.0.0.1"), ["10.0.0.2", "fd00::2"], (4, 4)),
        (Pool("10.0.0.0/24", "10.0.0.1", "10.0.0.128/25", {"a": "10.0.0.130"}), ["10.0.0.2"], (5, 126)),
        (Pool("10.0.0.0/31"), ["10.0.0.1"], (1, 1)),
        (Pool("2001:db8::/96", "2001:db8::1"), ["2001:db8::2"], (3, (1 << 32) - 3)),
    ],
)
def test_addresses_are_counted_as_gone_or_left(pool: Pool, taken: list[str], expected: tuple[int, int]) -> None:
    assert ipam.usage(pool, taken) == expected
