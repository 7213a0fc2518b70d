"""wharfd is killed with SIGKILL at random points of a container's life; nothing is lost and nothing leaks."""

from __future__ import annotations

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.root import life
from tests.root.wharfd import Wharfd, until
from tests.root.world import EMPTY, zygotes

KILLS = 56  # seven a step
SEED = int(os.environ.get("WHARF_TEST_SEED", "20"))
STATUSES = {
    "create": {"created"},
    "start": {"created", "running"},
    "exec": {"running"},
    "pause": {"running", "paused"},
    "unpause": {"paused", "running"},
    "restart": {"running", "exited"},
    "kill": {"running", "exited"},
    "remove": {"exited"},
}
"""What a container may be when the daemon died while this step was under way, and it is there at all."""


@dataclass(frozen=True, slots=True)
class Death:
    """When the daemon is killed: how far into which step of which life."""

    number: int
    step: str
    share: float  # of the time that the step usually takes; above 1 the next step has begun


def _deaths(seed: int) -> list[Death]:
    chance = random.Random(seed)
    steps = [step for step in life.STEPS for _ in range(KILLS // len(life.STEPS))]
    chance.shuffle(steps)
    return [Death(number, step, chance.uniform(0, 1.2)) for number, step in enumerate(steps, 1)]


def _until_all_are_hit(deaths: list[Death], cut_off: set[str | None]) -> Iterator[Death]:
    """Give the deaths, and some more for steps that none of them has cut off: on a busy machine times vary."""
    yield from deaths
    missing = [step for step in life.STEPS if step not in cut_off]
    for number, share in enumerate(i % 10 / 10 for i in range(20 * len(missing))):
        if (step := missing[number // 20]) not in cut_off:
            yield Death(len(deaths) + 1 + number, step, share)


def _act(daemon: Wharfd, step: str, number: int) -> None:
    path = f"/containers/{life.name(number)}"
    match step:
        case "create":
            daemon.get(f"/containers/create?name={life.name(number)}", "POST", life.document(number))
        case "exec":
            made = daemon.get(f"{path}/exec", "POST", {"Cmd": ["true"]})
            daemon.get(f"/exec/{made['Id']}/start", "POST", {"Detach": True})
        case "restart":
            daemon.get(f"{path}/restart?t=0", "POST")
        case "remove":
            daemon.get(f"{path}?v=1", "DELETE")
        case _:
            daemon.get(f"{path}/{step}", "POST")


class Times:
    """How long each step usually takes."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = {}

    def note(self, step: str, seconds: float) -> None:
        self._taken.setdefault(step, []).append(seconds)

    def usual(self, step: str) -> float:
        taken = sorted(self._taken[step])
        return taken[len(taken) // 2]


def _live(daemon: Wharfd, times: Times, number: int, death: Death | None = None) -> str | None:
    """Lead a life until the daemon is killed; return the step that was not answered, None when all were."""
    unanswered = None
    assert daemon.process is not None
    killer = threading.Timer(times.usual(death.step) * death.share if death else 0, daemon.process.kill)
    for step in life.STEPS:
        if death is not None and step == death.step:
            killer.start()
        began = time.monotonic()
        try:
            _act(daemon, step, number)
        except (ConnectionError, http.client.HTTPException):
            unanswered = step
            break
        times.note(step, time.monotonic() - began)
    if death is not None:
        killer.join()
        assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
    return unanswered


def _agree(daemon: Wharfd, number: int, unanswered: str | None) -> None:
    """Check that the next daemon knows of the container what its client was told, and what the kernel has."""
    found = daemon.get("/containers/json?all=1")
    if not found:
        assert unanswered in {"create", "remove", None}, "a container that a client was told of is lost"
        return
    [container] = found
    assert container["Names"] == [f"/{life.name(number)}"]
    assert unanswered is not None
    assert container["State"] in STATUSES[unanswered]
    state = daemon.get(f"/containers/{container['Id']}/json")["State"]
    if state["Running"]:
        assert container["Id"] in Path(f"/proc/{state['Pid']}/cgroup").read_text()
    if container["State"] == "running" and life.bridged(number):
        until(lambda: _answers(container), timeout_s=60)


def _answers(container: dict[str, Any]) -> bool:
    """Return whether the container answers on its published port."""
    [port] = {port["PublicPort"] for port in container["Ports"]}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/hosts")
        return connection.getresponse().status == 200
    except ConnectionError:
        return False  # a restarted server may not listen yet
    finally:
        connection.close()


def _clean(daemon: Wharfd) -> None:
    """Remove the container, and check that nothing of any is left."""
    daemon.clear()
    # The kernel takes namespaces apart in its own time, and a shim leaves once its mounts are gone.
    until(lambda: not (daemon.world_of_containers().links or daemon.world_of_containers().shims))
    until(lambda: not daemon.world_of_containers().processes)

    assert daemon.world_of_containers() == EMPTY
    until(lambda: len(zygotes()) <= 2, timeout_s=60)  # this daemon's own and its spare
    assert daemon.get("/volumes")["Volumes"] == []
    assert list(daemon.data.volumes.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killing_the_daemon_at_any_point_loses_and_leaks_nothing(daemon: Wharfd) -> None:
    times, cut_off = Times(), set[str | None]()
    for number in (1000, 1001):
        _live(daemon, times, number)
    for death in _until_all_are_hit(_deaths(SEED), cut_off):
        unanswered = _live(daemon, times, death.number, death)
        cut_off.add(unanswered)
        daemon.start()
        try:
            _agree(daemon, death.number, unanswered)
            _clean(daemon)
        except AssertionError as error:
            error.add_note(f"seed {SEED}, {death}, unanswered: {unanswered}")
            raise

    assert set(life.STEPS) <= cut_off, "the kills must hit every step"
