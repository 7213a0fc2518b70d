"""Limits on what a container receives and sends. Only lower bounds of time are asserted: load cannot break them."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from tests.root.network.machines import NOTHING, A, B, World, open_in, tcp_server

from wharf.errors import InvalidArgument
from wharf.kernel import traffic
from wharf.kernel.netlink import Rtnetlink
from wharf.network.endpoint import Endpoint, Rate
from wharf.network.rates import parse

pytestmark = pytest.mark.root

_BYTES = 200_000  # at 1 MB/s, less a bucket of 16 KiB: at least 0.18 s, and half of that is asserted


def _seconds(sender: Endpoint, receiver: Endpoint) -> float:
    """How long it takes until all bytes have arrived."""
    with tcp_server(receiver.sandbox, 80) as server, open_in(sender.sandbox, socket.SOCK_STREAM) as client:
        client.connect((receiver.ipv4, 80))
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(60)
            begun = time.monotonic()
            sending = threading.Thread(target=client.sendall, args=(bytes(_BYTES),))
            sending.start()
            left = _BYTES
            while left:
                left -= len(accepted.recv(left))
            sending.join()
            return time.monotonic() - begun


def test_what_a_container_receives_is_limited(world: World) -> None:
    limited, other = world.attach(A, rate=parse("8mbit/0")), world.attach(B)

    assert _seconds(other, limited) > 0.09


def test_what_a_container_sends_is_limited(world: World) -> None:
    limited, other = world.attach(A, rate=parse("0/8mbit")), world.attach(B)

    assert _seconds(limited, other) > 0.09


def test_limit_goes_with_its_container(world: World) -> None:
    world.attach(A, rate=Rate(8_000_000, 8_000_000))
    with Rtnetlink() as host:
        made = [link.name for link in host.links() if link.kind == "ifb" and link.alias.startswith("wharf:")]
    world.release(A, A)

    assert len(made) == 1
    assert {**world.leftovers(), "veths": []} == NOTHING
    with Rtnetlink() as host:
        assert host.link(made[0]) is None


def test_limit_of_a_container_that_died_while_no_engine_ran_is_swept(world: World) -> None:
    world.create("back", "10.2.0.0/24")
    world.attach(A)
    world.connect(A, "back", rate=Rate(0, 8_000_000))
    world.reborn()
    world.start()

    with Rtnetlink() as host:
        assert [link.name for link in host.links() if link.kind == "ifb" and link.alias] == []


def test_limit_of_a_network_that_was_left_is_gone(world: World) -> None:
    world.create("back", "10.2.0.0/24")
    world.attach(A)
    world.connect(A, "back", rate=Rate(0, 8_000_000))
    world.disconnect(A, "back")

    with Rtnetlink() as host:
        assert [link.name for link in host.links() if link.kind == "ifb" and link.alias] == []


def test_limit_is_for_bridges_alone(world: World) -> None:
    with pytest.raises(InvalidArgument, match="a network rate is for bridge networks, and not for null"):
        world.attach(A, network="none", rate=Rate(8_000_000, 0))


def test_fast_links_are_shaped_too(world: World) -> None:
    endpoint = world.attach(A)
    with Rtnetlink() as host:
        link = host.link(endpoint.host_link)
        assert link
        host.execute(traffic.shape(link.number, 100_000_000_000))  # more than 32 bits of bytes a second
