from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wharf.errors import Forbidden, InvalidArgument
from wharf.network.allocation import Allocation, require_possible
from wharf.network.bridge_driver import BridgeDriver
from wharf.network.driver import Traits
from wharf.network.endpoint import Endpoint, Rate, Wish, gateway_endpoint
from wharf.network.pools import Pool
from wharf.network.records import Network, Records
from wharf.storage.layout import RunRoot
from wharf.storage.metadata import Database

_POOLS = (Pool("10.0.0.0/24", "10.0.0.1"), Pool("fd00::/64", "fd00::1"))
_BACK = Network("b" * 64, "back", "bridge", "2026-01-01T00:00:00Z", _POOLS, ipv6=True)
_FRONT = Network("f" * 64, "front", "bridge", "2026-01-01T00:00:00Z", (Pool("10.1.0.0/24", "10.1.0.1"),))
_INNER = Network(
    "c" * 64, "inner", "bridge", "2026-01-01T00:00:00Z", (Pool("10.2.0.0/24", "10.2.0.1"),), internal=True
)
A = "a" * 64


@pytest.fixture
def allocation(tmp_path: Path) -> Iterator[Allocation]:
    database, run = Database(tmp_path / "db"), RunRoot(tmp_path)
    records = Records(database, run)
    for network in (_BACK, _FRONT, _INNER):
        records.add_network(network)
    yield Allocation(records, run, lambda _: BridgeDriver.traits)
    database.close()


def _choose(
    allocation: Allocation, *wanted: tuple[Network, Wish], present: tuple[Endpoint, ...] = ()
) -> list[Endpoint]:
    return allocation.choose(A, wanted, present, name="web")


def test_each_network_gives_an_interface_and_an_address_of_each_version(allocation: Allocation) -> None:
    back, front = _choose(allocation, (_BACK, Wish("back")), (_FRONT, Wish("front")))

    assert (back.interface, back.ipv4, back.ipv6, back.gateway6) == ("eth0", "10.0.0.2", "fd00::2", "fd00::1")
    assert (front.interface, front.ipv4, front.ipv6) == ("eth1", "10.1.0.2", "")


def test_wishes_are_honoured(allocation: Allocation) -> None:
    wish = Wish("back", ipv4="10.0.0.9", ipv6="fd00::9", mac="02:00:00:00:00:09", interface="lan0", names=("web",))
    (found,) = _choose(allocation, (_BACK, wish))

    assert (found.ipv4, found.ipv6, found.mac) == ("10.0.0.9", "fd00::9", "02:00:00:00:00:09")
    assert (found.interface, found.names) == ("lan0", ("web",))


def test_container_is_in_a_network_once(allocation: Allocation) -> None:
    present = tuple(_choose(allocation, (_BACK, Wish("back"))))
    with pytest.raises(Forbidden, match="endpoint with name web already exists in network back"):
        _choose(allocation, (_BACK, Wish("back")), present=present)


def test_way_out_is_by_priority_then_by_name_and_never_an_internal_network(allocation: Allocation) -> None:
    inner, front, back = _choose(
        allocation, (_INNER, Wish("inner", gateway_priority=9)), (_FRONT, Wish("front")), (_BACK, Wish("back"))
    )
    (preferred,) = _choose(allocation, (_FRONT, Wish("front", gateway_priority=1)))

    assert gateway_endpoint([inner, front, back], 4) == back
    assert gateway_endpoint([inner, preferred, back], 4) == preferred
    assert gateway_endpoint([inner, preferred], 6) is None


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        (Wish("back", ipv4="nonsense"), "invalid IPv4 address: nonsense"),
        (Wish("back", ipv6="10.0.0.3"), "invalid IPv6 address"),
        (Wish("back", mac="01:00:5e:00:00:01"), "invalid MAC address"),
        (Wish("back", link_local=("10.0.0.1",)), "invalid link-local IP address"),
    ],
)
def test_impossible_wish_is_refused_in_dockers_words(wish: Wish, fault: str) -> None:
    with pytest.raises(InvalidArgument, match=f"network back: invalid endpoint settings:\n{fault}"):
        require_possible(_BACK, wish, BridgeDriver.traits)


def test_what_a_drivers_containers_have_not_cannot_be_wished_for() -> None:
    lan = replace(_FRONT, driver="ipvlan")
    for wish, traits, fault in (
        (Wish("lan", mac="02:00:00:00:00:01"), Traits(own_mac=False), "ipvlan interfaces do not support custom mac"),
        (Wish("lan", rate=Rate(8_000_000)), Traits(limits=False), "network rate is for .*, and not for ipvlan"),
    ):
        with pytest.raises(InvalidArgument, match=fault):
            require_possible(lan, wish, traits)
        require_possible(lan, wish, Traits())


def test_address_is_announced_where_neighbours_may_know_it_by_another_mac(allocation: Allocation) -> None:
    front = replace(_FRONT, options={"com.docker.network.bridge.name": "lan7"})
    lan = replace(_FRONT, driver="macvlan")
    wishes = [
        (_FRONT, Wish("front")),
        (_FRONT, Wish("front", mac="02:00:00:00:00:09")),
        (_BACK, Wish("back")),
        (front, Wish("front")),
        (lan, Wish("front")),
    ]

    assert [_choose(allocation, each)[0].announced for each in wishes] == [False, True, True, True, True]


def test_address_that_had_another_mac_is_announced_to_its_next_owners(allocation: Allocation) -> None:
    records = allocation._records
    wish = Wish("front", ipv4="10.1.0.9", mac="02:00:00:00:00:09")
    endpoints = _choose(allocation, (_FRONT, wish))
    records.add(endpoints)
    records.discard(endpoints)

    front = records.resolve("front")
    again, other = (_choose(allocation, (front, Wish("front", ipv4=a)))[0] for a in ("10.1.0.9", "10.1.0.8"))
    assert (front.strangers, again.announced, other.announced) == (("10.1.0.9",), True, False)


@pytest.mark.parametrize("version", [4, 6])
def test_whether_an_address_is_taken_is_asked_of_an_index(allocation: Allocation, version: int) -> None:
    asked: list[tuple[str, Any]] = []

    class Heard:
        def query(self, sql: str, parameters: Any) -> list[Any]:
            asked.append((sql, parameters))
            return database.query(sql, parameters)

    records = allocation._records
    database, records._database = records._database, Heard()  # type: ignore[assignment]

    assert "10.0.0.2" not in records.addresses(_BACK.id, version)
    ((sql, parameters),) = asked
    ((*_, detail),) = database.query(f"EXPLAIN QUERY PLAN {sql}", parameters)
    assert "USING" in str(detail)
    assert str(detail).count("=?") == 2
