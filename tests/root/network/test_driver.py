"""The interface for drivers, as somebody else's overlay has it: from a network's making to the kill of an engine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.root.network.machines import NOTHING, A, B, World, talk, tcp_server
from tests.root.network.overlay import VNI, Overlay

from wharf.errors import Forbidden, InvalidArgument
from wharf.kernel import netns
from wharf.kernel.netlink import Rtnetlink
from wharf.network.driver import Others
from wharf.network.endpoint import Rate, Wish
from wharf.network.networks import Networks
from wharf.storage.metadata import Database

pytestmark = pytest.mark.root


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table"
    path.mkdir()
    return path


@pytest.fixture
def overlaid(tmp_path: Path, table: Path) -> Iterator[World]:
    def made(key: str) -> Overlay:
        return Overlay(key, table)

    world = World(tmp_path, Others({"overlay": made}))
    world.start()
    world.create("far", "10.9.0.0/24", Driver="overlay", Options={VNI: "4097"})
    yield world
    for (container_id,) in world.database.query("SELECT container_id FROM endpoints"):
        world.release(str(container_id))
    world.close()
    assert list(table.iterdir()) == []
    assert _switches() == []


def _switches() -> list[str]:
    with Rtnetlink() as host:
        return [link.name for link in host.links() if link.alias.startswith("overlay:")]


def _interfaces(place: str) -> list[str]:
    def names() -> list[str]:
        with Rtnetlink() as there:
            return [link.name for link in there.links()]

    return netns.within(place, names)


def test_containers_of_a_foreign_drivers_network_reach_each_other(overlaid: World, table: Path) -> None:
    first = overlaid.attach(A, network="far", names=("first",), ipv4="10.9.0.7")
    second = overlaid.attach(B, "8080:80", network="far")

    with tcp_server(first.sandbox, 80) as server:
        assert talk(server, second.sandbox, ("10.9.0.7", 80)) == second.ipv4
    assert second.ports == ()  # it publishes none
    assert len(list(table.iterdir())) == 2
    assert asyncio.run(overlaid.networks.inspect("far"))["Driver"] == "overlay"


def test_running_container_joins_and_leaves_it(overlaid: World, table: Path) -> None:
    overlaid.attach(A)
    joined = overlaid.connect(A, "far")[-1]
    with tcp_server(joined.sandbox, 80) as server:
        talk(server, overlaid.attach(B, network="far").sandbox, (joined.ipv4, 80))
    overlaid.release(B)
    (left,) = overlaid.disconnect(A, "far")

    assert _interfaces(left.sandbox) == ["lo", "eth0"]
    assert list(table.iterdir()) == []


def test_rates_are_no_business_of_a_driver(overlaid: World) -> None:
    endpoint = overlaid.attach(A, network="far", rate=Rate(0, 8_000_000))
    with Rtnetlink() as host:
        assert [link.kind for link in host.links() if link.kind == "ifb" and link.alias] == ["ifb"]
    asyncio.run(overlaid.networks.throttle(A, {endpoint.network_id: Rate()}))

    with Rtnetlink() as host:
        assert [link.name for link in host.links() if link.kind == "ifb" and link.alias] == []


def test_what_its_driver_refuses_is_not_recorded(overlaid: World) -> None:
    with pytest.raises(InvalidArgument, match="option x of an overlay network is not known"):
        overlaid.create("other", Driver="overlay", Options={"x": "y"})
    with pytest.raises(Forbidden, match="swarm is not active"):
        overlaid.create("other", Driver="overlay", Scope="swarm")
    overlaid.create("other", Driver="overlay")

    assert len(_switches()) == 2
    overlaid.remove("other")
    assert len(_switches()) == 1


def test_engine_that_comes_back_keeps_who_lives_and_sweeps_who_died(overlaid: World, table: Path) -> None:
    alive = overlaid.attach(A, network="far")
    overlaid.attach(B, network="far")
    overlaid.reborn()
    assert overlaid.start(A) == {A: [alive]}

    assert [told.read_text().split()[0] for told in table.iterdir()] == [A]
    with tcp_server(alive.sandbox, 80) as server:
        talk(server, overlaid.attach(B, network="far").sandbox, (alive.ipv4, 80))


@pytest.mark.parametrize("step", ["told", "joined", "addressed", "names", "ports", "parted"])
def test_engine_killed_at_any_step_leaves_nothing(overlaid: World, table: Path, step: str) -> None:
    pid = os.fork()
    if pid == 0:
        _die_at(overlaid, table, step)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    overlaid.reborn()
    overlaid.start()

    assert {**overlaid.leftovers(), "veths": []} == NOTHING
    assert list(table.iterdir()) == []
    assert overlaid.attach(A, network="far").ipv4


def _die_at(world: World, table: Path, step: str) -> None:
    def observe(done: str, seconds: float) -> None:
        if done == step:
            os._exit(9)

    def made(key: str) -> Overlay:
        driver = Overlay(key, table)
        if step == "parted":
            driver.part = _last(driver.part)  # type: ignore[method-assign]
        return driver

    async def main() -> None:
        database = Database(world.data.database)
        networks = Networks(world.data, world.run_root, database, observe=observe, others=Others({"overlay": made}))
        await networks.start(set())
        await networks.attach(A, [Wish("far", names=("a",))])
        await networks.release(A)

    try:
        asyncio.run(main())
    finally:
        os._exit(1)


def _last(work: Callable[..., None]) -> Callable[..., None]:
    def die(*arguments: object) -> None:
        work(*arguments)
        os._exit(9)

    return die
