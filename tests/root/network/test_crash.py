"""An engine that is killed between any two steps: the next one leaves the host as it was before the first."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from tests.root.network.machines import NOTHING, A, World, ruleset

from wharf.kernel.netlink import Rtnetlink
from wharf.lib.ports import parse_publish
from wharf.network.endpoint import Rate, Wish
from wharf.network.networks import Networks
from wharf.storage.metadata import Database

pytestmark = pytest.mark.root

_PORTS = ("8080:80", "5353:53/udp", "9899:99/sctp", "127.0.0.1:9090:90", "[::1]:9091:91")


def _host() -> dict[str, object]:
    """All that networks can leave on a host."""
    with Rtnetlink() as host:
        links = sorted(link.name for link in host.links())
        routes, addresses = sorted(host.routes()), sorted(host.addresses())
    rules = subprocess.run(["ip", "rule"], capture_output=True, text=True, check=True).stdout
    return {"links": links, "routes": routes, "addresses": addresses, "ruleset": ruleset(), "rules": rules}


def _die_at(world: World, step: str) -> None:
    """Attach a container that has everything, and die when ``step`` is done."""
    try:

        def observe(done: str, seconds: float) -> None:
            if done == step:
                os._exit(9)

        networks = Networks(world.data, world.run_root, Database(world.data.database), observe=observe)
        fabric = networks._fabric
        if step == "record":
            fabric.build = lambda *_: os._exit(9)  # type: ignore[method-assign,assignment]
        if step == "handed over":
            fabric._firewall.publish = lambda _: os._exit(9)  # type: ignore[method-assign]
        wish = Wish("judged", names=("web",), rate=Rate(8_000_000, 8_000_000))
        ports = [mapping for each in _PORTS for mapping in parse_publish(each)]
        asyncio.run(networks.start(set()))
        asyncio.run(networks.attach(A, [wish], ports=ports))
        if step == "released":
            fabric._records.discard = lambda _: os._exit(9)  # type: ignore[attr-defined]
            networks._records.discard = lambda _: os._exit(9)  # type: ignore[method-assign,assignment]
            asyncio.run(networks.release(A))
    finally:
        os._exit(1)


@pytest.mark.parametrize(
    "step", ["record", "namespace", "veth", "address", "announce", "names", "handed over", "ports", "released"]
)
def test_engine_killed_at_any_step_leaves_nothing_after_the_next_start(tmp_path: Path, step: str) -> None:
    before = _host()
    world = World(tmp_path)
    world.start()
    options = {"wharf.network.publish": "firewall"}
    world.create("judged", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True, Options=options)
    pid = os.fork()
    if pid == 0:
        _die_at(world, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    world.reborn()
    world.start()

    assert {**world.leftovers(), "veths": []} == NOTHING
    assert world.attach(A, "8080:80", network="judged").ports[0].host_port == 8080
    world.release(A)
    world.remove("judged")
    world.close()
    assert _host() == before


def test_host_is_as_before_when_all_containers_are_gone(tmp_path: Path) -> None:
    before = _host()
    world = World(tmp_path)
    world.start()
    world.create("dual", "10.5.0.0/24", "fd00:5::/64", EnableIPv6=True)
    world.attach(A, *_PORTS, network="dual", names=("web",), rate=Rate(8_000_000, 8_000_000))
    world.release(A)
    world.remove("dual")
    world.close()

    assert _host() == before
