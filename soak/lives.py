"""One container's life as a client leads it, whatever happens to the daemon; what is wrong with it is told."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from soak.client import PATIENCE_S, ask

_LINES = 50


@dataclass
class Tally:
    """What a client did and saw."""

    lives: int = 0
    execs: int = 0
    kills: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # a life took


@dataclass(frozen=True, slots=True)
class Plan:
    """How a life is to go."""

    name: str
    code: int  # its exit code, if it is let live
    lasts_s: float
    killed: bool
    execs: bool
    bridged: bool

    def document(self) -> dict[str, object]:
        """Return the request: it writes numbered lines, waits, and ends with its code."""
        lines = f"i=0; while [ $i -lt {_LINES} ]; do echo line $i; i=$((i+1)); done"
        script = f"{lines}; sleep {self.lasts_s}; exit {self.code}"
        host: dict[str, object] = {"NetworkMode": "bridge" if self.bridged else "none", "Binds": ["/data"]}
        return {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host, "Labels": {"soak": self.name}}


def plan(chance: random.Random, name: str) -> Plan:
    """Return a life by lot."""
    return Plan(
        name,
        chance.randrange(0, 126),
        round(chance.uniform(0, 0.5), 2),
        killed=chance.random() < 0.25,
        execs=chance.random() < 0.5,
        bridged=chance.random() < 0.3,
    )


def live(path: str, wanted: Plan, tally: Tally) -> None:
    """Lead one life from its creation to its removal."""
    began = time.monotonic()
    faults: list[str] = []
    at = f"/containers/{wanted.name}"

    def must(method: str, target: str, document: object = None, *, fine: tuple[int, ...]) -> int:
        said = ask(path, method, target, document)
        if said.status not in fine and not (said.again and said.status in (304, 404, 409)):
            faults.append(f"{method} {target}: {said.status} {said.raw[:200].decode(errors='replace')}")
        return said.status

    must("POST", f"/containers/create?name={wanted.name}", wanted.document(), fine=(201,))
    must("POST", f"{at}/start", fine=(204, 304))
    if wanted.execs:
        tally.execs += 1
        _exec(path, at, faults)
    killed = False
    if wanted.killed:
        tally.kills += 1
        killed = must("POST", f"{at}/kill", fine=(204, 409)) == 204
    state = _ended(path, at, faults)
    expected = {137, wanted.code} if wanted.killed else {wanted.code}
    if state.get("ExitCode") not in expected or (killed and state.get("ExitCode") not in expected):
        faults.append(f"{wanted.name}: exit code {state.get('ExitCode')} instead of {expected}: {state}")
    if not wanted.killed:
        log = ask(path, "GET", f"{at}/logs?stdout=1&stderr=1").raw
        missing = [i for i in range(_LINES) if f"line {i}\n".encode() not in log]
        if missing:
            faults.append(f"{wanted.name}: the log lacks lines {missing[:5]} of {_LINES}")
    must("DELETE", f"{at}?v=1&force=1", fine=(204, 404))
    if (left := ask(path, "GET", f"{at}/json").status) != 404:
        faults.append(f"{wanted.name}: still there after its removal: {left}")
    tally.lives += 1
    tally.seconds.append(time.monotonic() - began)
    tally.faults += faults


def _exec(path: str, at: str, faults: list[str]) -> None:
    """Run a command inside; a container that has ended, and an exec that went with a daemon, are no faults."""
    made = ask(path, "POST", f"{at}/exec", {"Cmd": ["sh", "-c", "exit 7"]})
    if made.status != 201:
        if made.status != 409:
            faults.append(f"exec in {at}: {made.status} {made.raw[:200].decode(errors='replace')}")
        return
    exec_id = made.document["Id"]
    started = ask(path, "POST", f"/exec/{exec_id}/start", {"Detach": True})
    deadline = time.monotonic() + PATIENCE_S
    while started.status == 200 and time.monotonic() < deadline:
        shown = ask(path, "GET", f"/exec/{exec_id}/json")
        if shown.status == 404:
            return  # the daemon that knew it is gone
        if not shown.document["Running"]:
            if shown.document["ExitCode"] not in (7, 137):  # 137: its container ended first
                faults.append(f"exec in {at}: exit code {shown.document['ExitCode']}")
            return
        time.sleep(0.01)


def _ended(path: str, at: str, faults: list[str]) -> dict[str, object]:
    """Wait for the end and return the state then."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ask(path, "POST", f"{at}/wait")
        said = ask(path, "GET", f"{at}/json")
        if said.status != 200:
            faults.append(f"{at}: its record is lost: {said.status}")
            return {}
        state: dict[str, object] = said.document["State"]
        if state["Status"] == "exited":
            return state
    faults.append(f"{at}: it does not end")
    return {}
