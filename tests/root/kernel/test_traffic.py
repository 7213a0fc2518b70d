from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from wharf.kernel import rtnetlink, traffic
from wharf.kernel.netlink import Rtnetlink

pytestmark = pytest.mark.root


@pytest.fixture
def host() -> Iterator[Rtnetlink]:
    with Rtnetlink() as opened:
        opened.execute(
            rtnetlink.new_veth_here("probe0", peer="probe1", peer_mac="02:00:00:00:00:01"),
            *traffic.new_ifb("ifbprobe", "a probe"),
        )
        yield opened
        opened.execute(rtnetlink.delete_link("probe0"), rtnetlink.delete_link("ifbprobe"))


def _shown(*command: str) -> list[dict[str, Any]]:
    done = subprocess.run(["tc", "-j", *command], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def _index(host: Rtnetlink, name: str) -> int:
    link = host.link(name)
    assert link
    return link.number


def test_shaped_link_has_a_bucket_and_may_be_shaped_again(host: Rtnetlink) -> None:
    for bits in (8_000_000, 100_000_000_000):
        host.execute(traffic.shape(_index(host, "probe0"), bits))
        (queue,) = _shown("qdisc", "show", "dev", "probe0")

        assert (queue["kind"], queue["options"]["rate"]) == ("tbf", bits // 8)


def test_link_that_is_let_go_is_shaped_no_more(host: Rtnetlink) -> None:
    link = _index(host, "probe0")
    host.execute(traffic.shape(link, 8_000_000), *traffic.lead_through(link, _index(host, "ifbprobe")))
    host.execute(traffic.unshape(link), traffic.lead_straight(link))

    assert {queue["kind"] for queue in _shown("qdisc", "show", "dev", "probe0")} <= {"noqueue"}
    for request in (traffic.unshape(link), traffic.lead_straight(link)):
        with pytest.raises(OSError, match=r"No such file|Invalid argument"):
            host.execute(request)


def test_received_packets_are_led_through_the_ifb(host: Rtnetlink) -> None:
    host.execute(*traffic.lead_through(_index(host, "probe0"), _index(host, "ifbprobe")))
    text = subprocess.run(
        ["tc", "filter", "show", "dev", "probe0", "ingress"], capture_output=True, text=True, check=True
    ).stdout

    assert "Egress Redirect to device ifbprobe" in text
