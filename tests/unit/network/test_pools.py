from __future__ import annotations

from ipaddress import IPv6Address

import pytest

from wharf.errors import Forbidden, InvalidArgument, Unavailable
from wharf.network import pools
from wharf.network.pools import Pool


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"Subnet": "10.0.0.0"}, "invalid subnet 10.0.0.0: invalid CIDR block notation"),
        ({"Subnet": "nonsense"}, "invalid subnet nonsense: invalid CIDR block notation"),
        ({"Subnet": "10.0.0.5/24"}, "invalid subnet 10.0.0.5/24: it should be 10.0.0.0/24"),
        ({"Subnet": "10.0.0.0/24", "IPRange": "10.0.1.0/25"}, "doesn't contain ip-range"),
        ({"Subnet": "10.0.0.0/24", "IPRange": "10.0.0.0/16"}, "CIDR block is bigger than its parent subnet"),
        ({"Subnet": "10.0.0.0/24", "IPRange": "fd00::/64"}, "parent subnet is an IPv4 block"),
        ({"Subnet": "10.0.0.0/24", "IPRange": "10.0.0.1/25"}, "it should be 10.0.0.0/25"),
        ({"Subnet": "10.0.0.0/24", "Gateway": "10.0.1.1"}, "doesn't contain this address"),
        ({"Subnet": "10.0.0.0/24", "Gateway": "::1"}, "parent subnet is an IPv4 block"),
        ({"Subnet": "10.0.0.0/24", "AuxiliaryAddresses": {"a": "x"}}, "invalid auxiliary address x"),
    ],
)
def test_faulty_pool_is_refused_in_dockers_words(entry: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault.replace("(", r"\(")):
        pools.parse(entry)


def test_pools_may_not_overlap() -> None:
    one, other = Pool("10.0.0.0/16"), Pool("10.0.5.0/24")
    with pytest.raises(Forbidden, match="Pool overlaps with other one on this address space"):
        pools.require_disjoint([one], [other])
    with pytest.raises(Forbidden):
        pools.require_disjoint([one, other], [])

    pools.require_disjoint([one], [Pool("fd00::/64")])


def test_chosen_subnet_keeps_clear_of_what_is_used() -> None:
    used = ["172.18.0.0/16", "172.19.1.1/32", "0.0.0.0/0", "fd00::/8"]

    assert pools.choose(4, used, key="k") == Pool("172.20.0.0/22", "172.20.0.1")


def test_chosen_ipv6_subnet_is_the_roots_own() -> None:
    first, other = pools.choose(6, [], key="k"), pools.choose(6, [], key="other")
    second = pools.choose(6, [first.subnet], key="k")

    assert first.subnet.startswith("fd")
    assert first.network.prefixlen == 64
    assert len({first.subnet, second.subnet, other.subnet}) == 3


def test_when_all_is_used_there_is_none() -> None:
    with pytest.raises(Unavailable, match="fully subnetted"):
        pools.choose(4, ["172.16.0.0/12", "192.168.0.0/16"], key="k")


@pytest.mark.parametrize(
    ("pool", "gateway"),
    [
        (Pool("10.0.0.0/24"), "10.0.0.1"),
        (Pool("10.0.0.0/24", "10.0.0.254"), "10.0.0.254"),
        (Pool("10.0.0.0/24", auxiliary={"a": "10.0.0.1"}), "10.0.0.2"),
        (Pool("10.0.0.0/16", "", "10.0.8.0/24"), "10.0.8.0"),
        (Pool("10.0.0.0/31"), "10.0.0.0"),
        (Pool("10.0.0.8/32"), "10.0.0.8"),
        (Pool("10.0.0.0/24", "", "10.0.0.0/32"), ""),
        (Pool("10.0.0.0/30", auxiliary={"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}), ""),
        (Pool("fd00::/64"), "fd00::1"),
        (Pool("fd00::/128"), "fd00::"),
    ],
)
def test_gateway_is_the_first_host_unless_it_is_given(pool: Pool, gateway: str) -> None:
    if not gateway:
        with pytest.raises(InvalidArgument, match=r"no address of .* is left for the gateway"):
            pools.complete(pool)
    else:
        assert pools.complete(pool).gateway == gateway


def test_subnets_come_from_the_ranges_that_were_told() -> None:
    ranges = [("10.1.0.0/23", 24), ("fd00:5::/63", 64)]
    first = pools.choose(4, [], key="k", ranges=ranges)
    second = pools.choose(4, [first.subnet], key="k", ranges=ranges)

    assert (first.subnet, second.subnet) == ("10.1.0.0/24", "10.1.1.0/24")
    assert pools.choose(6, [], key="k", ranges=ranges).subnet == "fd00:5::/64"
    with pytest.raises(Unavailable):
        pools.choose(4, ["10.1.0.0/23"], key="k", ranges=ranges)


@pytest.mark.parametrize("key", ["k", "0f1e2d3c", *map(str, range(50))])
def test_stand_in_of_loopback_has_its_checksum(key: str) -> None:
    stand_in = IPv6Address(pools.loopback_stand_in(key))
    words = [int.from_bytes(stand_in.packed[at : at + 2]) for at in range(0, 16, 2)]

    assert sum(words) % 0xFFFF == 1  # as that of ::1; RFC 1071 adds with the carry coming round
    assert stand_in.is_private
    assert words[-1] != 0  # the subnet's own address
