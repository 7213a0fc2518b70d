from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wharf.kernel import netlink, netns, rtnetlink
from wharf.kernel.netlink import Rtnetlink

pytestmark = pytest.mark.root

_MAC = "02:42:00:00:00:09"


@pytest.fixture
def host() -> Iterator[Rtnetlink]:
    with Rtnetlink() as opened:
        opened.execute(rtnetlink.new_bridge("probe0", mac="02:42:00:00:00:01", mtu=1400), rtnetlink.link_up("probe0"))
        yield opened
        opened.execute(rtnetlink.delete_link("probe0"))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[int]:
    path = str(tmp_path / "ns")
    netns.make(path, lambda: None)
    fd = netns.open_namespace(path)
    yield fd
    os.close(fd)
    netns.remove(path)


def _shown(name: str, *, within: int | None = None) -> dict[str, Any]:
    command = ["ip", "-j", "-d", "addr", "show", "dev", name]
    if within is not None:
        command = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{within}", *command]
    done = subprocess.run(command, capture_output=True, check=True)
    return dict(json.loads(done.stdout)[0])


def test_bridge_has_its_mac_and_mtu(host: Rtnetlink) -> None:
    shown = _shown("probe0")

    assert (shown["address"], shown["mtu"], shown["linkinfo"]["info_kind"]) == ("02:42:00:00:00:01", 1400, "bridge")


def test_ports_of_a_bridge_are_told_apart(host: Rtnetlink, sandbox: int) -> None:
    bridge = host.link("probe0")
    assert bridge
    host.execute(
        rtnetlink.new_veth(
            "probe1", peer="eth0", peer_namespace=sandbox, peer_mac=_MAC, master=bridge.number, mtu=1400
        ),
        rtnetlink.set_link("probe1", alias="a", hairpin=True, isolated=True),
    )
    port = _shown("probe1")["linkinfo"]["info_slave_data"]

    assert (port["hairpin"], port["isolated"]) == (True, True)
    assert _shown("eth0", within=sandbox)["address"] == _MAC
    host.execute(rtnetlink.delete_link("probe1"))


def test_addresses_of_both_versions_are_given_and_seen(host: Rtnetlink) -> None:
    bridge = host.link("probe0")
    assert bridge
    host.execute(
        rtnetlink.add_address(bridge.number, "fd00:9::1", 64),
        rtnetlink.add_address(bridge.number, "10.9.0.1", 24),
        rtnetlink.set_neighbour(bridge.number, "fd00:9::2", _MAC),
        rtnetlink.set_neighbour(bridge.number, "10.9.0.2", _MAC),
    )

    assert netlink.Address(bridge.number, "fd00:9::1", 64) in host.addresses()
    assert netlink.Route("fd00:9::/64", bridge.number) in host.routes()
    host.execute(rtnetlink.remove_address(bridge.number, "10.9.0.1", 24))
    assert netlink.Address(bridge.number, "10.9.0.1", 24) not in host.addresses()


def test_default_route_by_link_needs_no_gateway(sandbox: int, tmp_path: Path) -> None:
    def route() -> list[str]:
        with Rtnetlink() as inside:
            inside.execute(rtnetlink.link_up("lo"))
            lo = inside.link("lo")
            assert lo
            inside.execute(
                rtnetlink.add_default_link_route(lo.number, version=4),
                rtnetlink.add_default_link_route(lo.number, version=6),
            )
        return Path("/proc/thread-self/net/route").read_text().splitlines()

    assert netns.within(str(tmp_path / "ns"), route)[1].split()[:2] == ["lo", "00000000"]


def test_macvlan_is_made_where_the_container_is(host: Rtnetlink, sandbox: int) -> None:
    parent = host.link("probe0")
    assert parent
    request = rtnetlink.new_macvlan("eth0", parent=parent.number, mode="bridge", namespace=sandbox, mac=_MAC)
    host.execute(request)
    shown = _shown("eth0", within=sandbox)

    assert (shown["address"], shown["linkinfo"]["info_data"]["mode"]) == (_MAC, "bridge")


@pytest.mark.parametrize("kind", ["ipvlan", "vlan", "dummy"])
def test_links_that_a_kernel_may_lack_are_made_or_told_of(host: Rtnetlink, sandbox: int, kind: str) -> None:
    parent = host.link("probe0")
    assert parent
    request = {
        "ipvlan": rtnetlink.new_ipvlan("ipv0", parent=parent.number, mode="l2", flag="bridge", namespace=sandbox),
        "vlan": rtnetlink.new_vlan("probe0.7", parent=parent.number, number=7),
        "dummy": rtnetlink.new_dummy("dummy7"),
    }[kind]
    refused: list[int | None] = []
    try:
        host.execute(request)
    except OSError as error:
        refused.append(error.errno)
    if not refused and kind != "ipvlan":
        host.execute(rtnetlink.delete_link("probe0.7" if kind == "vlan" else "dummy7"))

    assert refused in ([], [errno.EOPNOTSUPP])
