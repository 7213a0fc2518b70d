from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.network.machines import WIRE_HERE, WIRE_HERE6, WIRE_THERE, WIRE_THERE6, World

from wharf.kernel import namespace, netns, rtnetlink
from wharf.kernel.netlink import Rtnetlink

_BRIDGE_NF = [Path(f"/proc/sys/net/bridge/bridge-nf-call-{name}") for name in ("iptables", "ip6tables")]


@pytest.fixture(autouse=True)
def _own_host() -> Iterator[None]:
    """A network namespace for each test that stands for the host: what a test tears is nobody else's."""
    before = netns.open_namespace("/proc/thread-self/ns/net")
    try:
        namespace.unshare(namespace.Clone.NEWNET)
        with Rtnetlink() as host:
            host.execute(rtnetlink.link_up("lo"))
        yield
    finally:
        namespace.setns(before, namespace.Clone.NEWNET)
        os.close(before)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.start()
    yield made
    for (container_id,) in made.database.query("SELECT container_id FROM endpoints"):
        made.release(str(container_id))
    asyncio.run(made.networks.aclose())
    made.database.close()


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[str]:
    """A machine on the other end of a cable: a namespace whose default route is this host."""
    path = str(tmp_path / "wire")
    netns.make(path, lambda: None)
    there = netns.open_namespace(path)
    try:
        with Rtnetlink() as host:
            host.execute(rtnetlink.new_bridge("lan", mac="02:00:00:00:00:09"), rtnetlink.link_up("lan"))
            lan = host.link("lan")
            assert lan
            host.execute(
                rtnetlink.new_veth(
                    "cable",
                    peer="eth0",
                    peer_namespace=there,
                    peer_mac="02:00:00:00:00:0a",
                    master=lan.number,
                    mtu=1500,
                ),
                rtnetlink.add_address(lan.number, WIRE_HERE, 24),
                rtnetlink.add_address(lan.number, WIRE_HERE6, 64),
            )
        netns.within(path, _configure_wire)
        yield path
    finally:
        os.close(there)
        with Rtnetlink() as host:  # by name and not by its namespace, which goes later: the next test uses the names
            host.execute(rtnetlink.delete_link("cable"), rtnetlink.delete_link("lan"))
        netns.remove(path)


def _configure_wire() -> None:
    with Rtnetlink() as there:
        link = there.link("eth0")
        assert link
        there.execute(
            rtnetlink.link_up("lo"),
            rtnetlink.add_address(link.number, WIRE_THERE, 24),
            rtnetlink.add_address(link.number, WIRE_THERE6, 64),
            rtnetlink.link_up("eth0"),
            rtnetlink.add_default_route(WIRE_HERE, link.number),
            rtnetlink.add_default_route(WIRE_HERE6, link.number),
        )


@pytest.fixture(params=[0, 1], ids=["bridge-nf-off", "bridge-nf-on"])
def bridge_nf(request: pytest.FixtureRequest) -> Iterator[None]:
    present = {path: path.read_text() for path in _BRIDGE_NF if path.exists()}
    for path in present:
        path.write_text(str(request.param))
    yield
    for path, before in present.items():
        path.write_text(before)
