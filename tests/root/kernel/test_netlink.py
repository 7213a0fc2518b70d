from __future__ import annotations

import errno
import json
import subprocess
from collections.abc import Iterator

import pytest

from wharf.kernel import netlink, rtnetlink
from wharf.kernel.netlink import Rtnetlink

pytestmark = pytest.mark.root


@pytest.fixture
def host() -> Iterator[Rtnetlink]:
    with Rtnetlink() as opened:
        opened.execute(rtnetlink.new_bridge("probe0", mac="02:42:00:00:00:01"))
        yield opened
        opened.execute(rtnetlink.delete_link("probe0"))


def test_error_bears_errno_the_kernels_words_and_the_request(host: Rtnetlink) -> None:
    with pytest.raises(OSError, match="make bridge probe0") as caught:
        host.execute(rtnetlink.new_bridge("probe0", mac="02:42:00:00:00:02"))

    assert caught.value.errno == errno.EEXIST


def test_extended_acknowledgement_is_part_of_the_message(host: Rtnetlink) -> None:
    link = host.link("probe0")
    assert link
    with pytest.raises(OSError, match="Nexthop") as caught:
        host.execute(rtnetlink.add_default_route("203.0.113.1", link.number))

    assert caught.value.errno in (errno.ENETUNREACH, errno.EINVAL)


def test_first_failure_of_a_batch_is_told_and_the_socket_stays_usable(host: Rtnetlink) -> None:
    with pytest.raises(OSError, match="set nothere up"):
        host.execute(rtnetlink.link_up("nothere"), rtnetlink.link_up("probe0"), rtnetlink.delete_link("nothere"))

    link = host.link("probe0")
    assert link is not None
    assert link.up


def test_missing_link_is_none(host: Rtnetlink) -> None:
    assert host.link("nothere") is None


def test_links_addresses_and_routes_are_those_that_iproute2_shows(host: Rtnetlink) -> None:
    bridge = host.link("probe0")
    assert bridge
    host.execute(
        rtnetlink.set_link("probe0", alias="wharf:test", up=True),
        rtnetlink.add_address(bridge.number, "10.9.0.1", 24),
    )
    shown = json.loads(subprocess.run(["ip", "-j", "-d", "addr"], capture_output=True, check=True).stdout)

    ours = [(x.number, x.name, x.alias, x.mac, x.mtu) for x in host.links()]
    theirs = [(x["ifindex"], x["ifname"], x.get("ifalias", ""), x["address"], x["mtu"]) for x in shown]
    assert ours == theirs
    assert netlink.Address(bridge.number, "10.9.0.1", 24) in host.addresses()
    assert netlink.Route("10.9.0.0/24", bridge.number) in host.routes()
