from __future__ import annotations

from typing import Self

import pytest

from wharf.errors import InvalidArgument, Unavailable
from wharf.kernel.netlink import Link
from wharf.network import vlans
from wharf.network.records import Network
from wharf.network.vlans import DRIVERS, VlanDriver, VlanOptions, parent_of, vlan_options


def _network(name: str, *, driver: str = "macvlan", **given: str) -> Network:
    return Network(name * 64, name, driver, "2026-01-01T00:00:00Z", options=given)


def test_defaults_are_dockers() -> None:
    assert vlan_options("macvlan", {"parent": "eth0"}) == VlanOptions("eth0", "bridge")
    assert vlan_options("ipvlan", {}) == VlanOptions("", "l2", "bridge")


def test_all_that_can_be_asked_for_is_read() -> None:
    given = {
        "parent": "eth0.50",
        "ipvlan_mode": "l3s",
        "ipvlan_flag": "vepa",
        "com.docker.network.driver.mtu": "1400",
    }

    assert vlan_options("ipvlan", given) == VlanOptions("eth0.50", "l3s", "vepa", 1400)


@pytest.mark.parametrize(
    "given", [{"parent": "lo"}, {"macvlan_mode": "l2"}, {"ipvlan_mode": "l2"}, {"parent": "a/b"}]
)
def test_what_cannot_be_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        vlan_options("macvlan", given)


@pytest.mark.parametrize(
    ("driver", "given", "fault"),
    [
        ("macvlan", {"macvlan_mode": "x"}, "macvlan mode 'x'"),
        ("macvlan", {"parent": "lo"}, "loopback interface"),
        ("ipvlan", {"macvlan_mode": "vepa"}, "macvlan_mode"),
    ],
)
def test_network_that_cannot_be_is_refused(driver: str, given: dict[str, str], fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault):
        VlanDriver(driver, "k").check(_network("a", **given))


def test_network_without_a_parent_leads_nowhere() -> None:
    driver = VlanDriver("macvlan", "k")

    assert driver.check(_network("a")).internal
    assert not driver.check(_network("a", parent="eth0")).internal


def test_network_without_a_parent_has_a_link_of_its_own() -> None:
    assert parent_of(_network("a")) == "dm-aaaaaaaaaaaa"


def test_parent_that_one_network_wants_for_itself_is_not_shared() -> None:
    driver = VlanDriver("macvlan", "k")
    alone, other = _network("a", parent="eth0", macvlan_mode="passthru"), _network("b", parent="eth0")

    for network, present in ((alone, other), (other, alone)):
        with pytest.raises(Unavailable, match="already using parent interface eth0"):
            driver.plan(network, [present])
    assert driver.plan(other, [_network("c", parent="eth0")])[1] == ""


def test_ipvlan_networks_of_one_parent_have_one_mode() -> None:
    driver = VlanDriver("ipvlan", "k")
    first = _network("a", driver="ipvlan", parent="eth0", ipvlan_mode="l3")
    for mode, flag in (("l2", ""), ("l3", "private")):
        other = _network("b", driver="ipvlan", parent="eth0", ipvlan_mode=mode, ipvlan_flag=flag)
        with pytest.raises(Unavailable, match="already using parent interface eth0 in mode l3"):
            driver.plan(other, [first])
    alike = _network("c", driver="ipvlan", parent="eth0", ipvlan_mode="l3")
    assert driver.plan(alike, [first])[1] == ""


def test_parents_of_both_kinds_are_swept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []

    class Host:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Do nothing."""

        def links(self) -> list[Link]:
            swept.append("links")
            return []

    monkeypatch.setattr(vlans, "Rtnetlink", Host)

    for kind in DRIVERS:
        VlanDriver(kind, "key").sweep((), ())

    assert swept == ["links"]
