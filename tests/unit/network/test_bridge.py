from __future__ import annotations

import pytest

from wharf.errors import Unavailable
from wharf.kernel.netlink import Link
from wharf.network.bridge import BridgePlan, plan


def _bridge(number: int, name: str, alias: str = "") -> Link:
    return Link(number, name, alias, "bridge", "02:00:00:00:00:01", 1500, up=True, carries=True, master=0)


def test_host_without_a_free_subnet_is_an_error() -> None:
    with pytest.raises(Unavailable, match="fully subnetted"):
        plan([], [("172.16.0.0/12", 1), ("192.168.0.0/16", 1)], key="k")


def test_first_use_takes_dockers_own_names() -> None:
    assert plan([], [("10.0.0.0/8", 1)], key="k") == BridgePlan("docker0", "172.17.0.0/16", "wharf:k")


def test_own_bridge_is_used_again_and_its_own_route_is_no_hindrance() -> None:
    found = plan([_bridge(7, "docker0", "wharf:k")], [("172.17.0.0/16", 7)], key="k")

    assert found == BridgePlan("docker0", "172.17.0.0/16", "wharf:k", exists=True)


def test_bridge_of_another_root_is_left_alone() -> None:
    links = [_bridge(7, "docker0", "wharf:other"), _bridge(8, "wharf0")]
    found = plan(links, [("172.17.0.1/16", 7), ("172.18.4.0/24", 8)], key="k")

    assert (found.name, found.subnet, found.gateway) == ("wharf1", "172.19.0.0/16", "172.19.0.1")
    assert found.notice == (
        "docker0 belongs to something else: using bridge wharf1; 172.17.0.0/16 is in use: using subnet 172.19.0.0/16"
    )


def test_after_a_reboot_the_same_name_and_subnet_are_preferred() -> None:
    found = plan([], [], key="k", name="wharf0", subnet="172.18.0.0/16")

    assert (found.name, found.subnet, found.exists) == ("wharf0", "172.18.0.0/16", False)
