"""Limits on what a container receives and sends. Only lower bounds of time are asserted: load cannot break them."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import subprocess
import threading
import time
from contextlib import suppress

import pytest
from tests.root.network.machines import NOTHING, A, B, World, open_in, tcp_server

from wharf.errors import InvalidArgument, Unavailable
from wharf.kernel import traffic
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.netlink_wire import Request
from wharf.network import sandbox
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


@pytest.mark.parametrize("network", ["none", "host"])
def test_network_without_interfaces_of_ours_has_no_limit(world: World, network: str) -> None:
    with pytest.raises(InvalidArgument, match="a network rate is for networks whose interfaces are made here"):
        world.attach(A, network=network, rate=Rate(8_000_000, 0))


def _throttle(world: World, endpoint: Endpoint, rate: Rate) -> Endpoint:
    (changed,) = asyncio.run(world.networks.throttle(endpoint.container_id, {endpoint.network_id: rate}))
    return changed


def _limits(endpoint: Endpoint) -> dict[str, int]:
    """What links in the endpoint's place on the host send at most, in bits a second, by their kind."""
    with Rtnetlink() as host:
        names = {endpoint.host_link, *(link.name for link in host.links() if link.kind == "ifb" and link.alias)}
    shown = subprocess.run(["tc", "-j", "qdisc"], capture_output=True, text=True, check=True).stdout
    return {
        queue["dev"].rstrip("0123456789abcdef"): queue["options"]["rate"] * 8
        for queue in json.loads(shown)
        if queue["dev"] in names and queue["kind"] == "tbf"
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0", "8mbit/16mbit"),
        ("8mbit/16mbit", "80mbit/160mbit"),
        ("8mbit/16mbit", "0"),
        ("8mbit/0", "0/8mbit"),
        ("0/8mbit", "8mbit/0"),
    ],
)
def test_limits_of_a_running_container_become_others(world: World, before: str, after: str) -> None:
    endpoint = world.attach(A, rate=parse(before))
    endpoint = _throttle(world, endpoint, parse(after))

    wanted = {"veth": parse(after).down, "i": parse(after).up}
    assert _limits(endpoint) == {link: bits for link, bits in wanted.items() if bits}
    assert endpoint.rate == parse(after)
    assert world.networks._records.endpoints_of(A) == [endpoint]
    world.release(A)
    assert {**world.leftovers(), "veths": []} == NOTHING


def test_new_limit_holds_both_ways(world: World) -> None:
    limited, other = world.attach(A), world.attach(B)
    limited = _throttle(world, limited, parse("8mbit"))

    assert _seconds(other, limited) > 0.09
    assert _seconds(limited, other) > 0.09


def test_limit_that_becomes_another_is_there_all_the_while(world: World) -> None:
    endpoint = world.attach(A, rate=parse("8mbit"))
    with Rtnetlink() as host:
        before = {link.name: link.number for link in host.links()}
    _throttle(world, endpoint, parse("16mbit"))

    with Rtnetlink() as host:
        assert {link.name: link.number for link in host.links()} == before


class _Killed(BaseException):
    """In place of a kill -9."""


class _Lines:
    """Requests to the kernel, of which the one after so many fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -2
        self.fault: BaseException = _Killed()
        real = Rtnetlink.execute

        def execute(opened: Rtnetlink, *requests: Request) -> None:
            self.left -= 1
            if self.left == -1:
                raise self.fault
            real(opened, *requests)

        monkeypatch.setattr(Rtnetlink, "execute", execute)


@pytest.mark.parametrize(("before", "after"), [("0", "8mbit"), ("8mbit", "0"), ("8mbit/0", "0/16mbit")])
def test_change_that_was_killed_is_finished_by_the_next_process(
    world: World, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    wanted = {link: bits for link, bits in (("veth", parse(after).down), ("i", parse(after).up)) if bits}
    lines = _Lines(monkeypatch)
    monkeypatch.setattr(sandbox, "_throttle_back", lambda *_: None)  # a killed process does nothing more
    for steps in range(6):
        endpoint = world.attach(A, rate=parse(before))
        lines.left = steps
        with suppress(_Killed):
            _throttle(world, endpoint, parse(after))
            lines.left = -2
            world.networks._records.update([endpoint])  # killed after all steps, but for the record
        lines.left = -2
        world.reborn()
        assert world.start(A) == {A: [endpoint]}
        endpoint = _throttle(world, endpoint, parse(after))

        assert _limits(endpoint) == wanted
        world.release(A)
        assert {**world.leftovers(), "veths": []} == NOTHING


def test_change_that_fails_leaves_the_old_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, lines = world.attach(A, rate=parse("8mbit/0")), _Lines(monkeypatch)
    lines.fault = OSError(errno.ENOMEM, "out of memory")
    for steps in range(5):
        lines.left = steps
        with pytest.raises(Unavailable, match="failed to change the network rate"):
            _throttle(world, endpoint, parse("16mbit/16mbit"))

        assert _limits(endpoint) == {"veth": 8_000_000}
        assert world.networks._records.endpoints_of(A) == [endpoint]
        with Rtnetlink() as host:
            assert [link.name for link in host.links() if link.kind == "ifb" and link.alias] == []


def test_fast_links_are_shaped_too(world: World) -> None:
    endpoint = world.attach(A)
    with Rtnetlink() as host:
        link = host.link(endpoint.host_link)
        assert link
        host.execute(traffic.shape(link.number, 100_000_000_000))  # more than 32 bits of bytes a second
