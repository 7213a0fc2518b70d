"""Plans of the verbs for containers that are there: start, stop, restart, kill, pause, unpause, rm."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wharf.compose.model.project import Project
from wharf.compose.plan.down import dependents_first
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Details, Plan
from wharf.compose.plan.providers import plan_withdrawal, providers_of
from wharf.compose.plan.work import subject_of

Order = Literal["dependencies first", "dependents first", "any"]
_RUNNING = frozenset({"running", "restarting", "paused"})
_STOPPED = frozenset({"created", "exited", "dead"})


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done to containers, to those in which states, and in which order of their services."""

    kind: str
    states: frozenset[str]
    order: Order
    cause: str


START = Verb("StartContainer", _STOPPED, "dependencies first", "start")
STOP = Verb("StopContainer", _RUNNING, "dependents first", "stop")
RESTART = Verb("RestartContainer", _RUNNING | _STOPPED, "dependencies first", "restart")
KILL = Verb("KillContainer", _RUNNING, "any", "kill")
PAUSE = Verb("PauseContainer", frozenset({"running"}), "any", "pause")
UNPAUSE = Verb("UnpauseContainer", frozenset({"paused"}), "any", "unpause")
REMOVE = Verb("RemoveContainer", _STOPPED, "any", "rm")


def plan_verb(
    verb: Verb, observed: Observed, depends_on: Mapping[str, Iterable[str]], services: Collection[str] = ()
) -> Plan:
    """Return the plan that does a verb.

    Args:
        verb: What is done.
        observed: What there is.
        depends_on: service → those it depends on.
        services: Only these; none: all.
    """
    plan = Plan()
    meant = [one for one in observed.containers if (not services or one.service in services) and not one.oneoff]
    done: dict[str, list[int]] = {}
    for name in _ordered(verb, {one.service for one in meant}, depends_on):
        needs = _needs(verb, name, depends_on, done)
        chosen = [one for one in meant if one.service == name and one.state in verb.states]
        done[name] = [_do(plan, verb, one, needs) for one in chosen] or needs
    return plan


def plan_stop(
    project: Project, observed: Observed, depends_on: Mapping[str, Iterable[str]], services: Collection[str] = ()
) -> Plan:
    """Return the plan that stops services: their containers, and what providers provide.

    Args:
        project: Says which services are provided.
        observed: What there is.
        depends_on: service → those it depends on.
        services: Only these; none: all.
    """
    plan = plan_verb(STOP, observed, depends_on, services)
    provided = providers_of(project)
    plan_withdrawal(plan, "StopProvider", provided & set(services) if services else provided, depends_on)
    return plan


def _do(plan: Plan, verb: Verb, one: Container, needs: list[int]) -> int:
    return plan.add(verb.kind, subject_of(one), verb.cause, needs, Details(target=one.id, name=one.name))


def _ordered(verb: Verb, names: set[str], depends_on: Mapping[str, Iterable[str]]) -> list[str]:
    found = dependents_first(names, depends_on)
    return found[::-1] if verb.order == "dependencies first" else found


def _needs(
    verb: Verb, name: str, depends_on: Mapping[str, Iterable[str]], done: Mapping[str, list[int]]
) -> list[int]:
    if verb.order == "any":
        return []
    if verb.order == "dependencies first":
        others = list(depends_on.get(name, ()))
    else:
        others = [other for other, below in depends_on.items() if name in below]
    return [number for other in others for number in done.get(other, [])]
