from __future__ import annotations

from dataclasses import replace

from tests.fakes.compose import project
from tests.fakes.simulated import Simulated

from wharf.compose import identity
from wharf.compose.plan.converge import converge
from wharf.compose.plan.down import Going, dependencies, down
from wharf.compose.plan.providers import providers_of, provision
from wharf.compose.plan.verbs import plan_stop
from wharf.compose.plan.work import Options
from wharf.compose.provided.protocol import Variables
from wharf.compose.provided.variables import with_variables

APP = project("""
services:
  web: {image: x, depends_on: [db, cache]}
  db: {provider: {type: cloud}, depends_on: [zone]}
  zone: {provider: {type: cloud}}
  cache: {image: y}
""")


def test_providers_are_asked_each_after_those_it_depends_on() -> None:
    assert str(provision(APP)).splitlines() == [
        "[] -> #1 service:zone, RunProvider, a provider is asked each time",
        "[1] -> #2 service:db, RunProvider, a provider is asked each time",
    ]


def test_what_was_told_before_is_taken_for_what_will_be_told() -> None:
    told, _ = with_variables(APP, {"db": Variables({"URL": "u"})})
    engine = Simulated(told)
    engine.do(converge(told, engine.observed, Options(provided=True)))
    for one in list(engine.containers.values()):
        engine.containers[one.id] = replace(one, declared_hash=told.services[one.service].declared)

    assert len(converge(told, engine.observed, Options(provided=True))) == 0
    assert {one.kind for one in converge(APP, engine.observed, Options())} == {"RunProvider"}
    other, _ = with_variables(APP, {"db": Variables({"URL": "v"})})
    plan = converge(other, engine.observed, Options(provided=True))
    assert {one.service for one in plan} == {"web"}
    assert identity.service_hash(other.services["web"]) != identity.service_hash(told.services["web"])


def test_what_docker_compose_told_is_seen_by_its_container() -> None:
    """It keeps no hash of what the file says: a printed plan takes what the container has for what it was told."""
    told, _ = with_variables(APP, {"db": Variables({"URL": "u"}, {"NEW": "n"})})
    engine = Simulated(told)
    engine.do(converge(told, engine.observed, Options(provided=True)))
    for one in list(engine.containers.values()):
        has = ("NEW=n", "DB_URL=u") if one.service == "web" else ()
        engine.containers[one.id] = replace(one, declared_hash="", environment=has)

    assert {one.kind for one in converge(APP, engine.observed, Options())} == {"RunProvider"}
    changed = project("""
services:
  web: {image: x, depends_on: [db, cache], environment: {A: 1}}
  db: {provider: {type: cloud}, depends_on: [zone]}
  zone: {provider: {type: cloud}}
  cache: {image: y}
""")
    assert {one.service for one in converge(changed, engine.observed, Options())} >= {"web"}


def test_providers_stop_and_go_after_what_depends_on_them() -> None:
    engine = Simulated(APP)
    engine.do(converge(APP, engine.observed, Options(provided=True)))
    depends_on = dependencies(APP)

    assert str(plan_stop(APP, engine.observed, depends_on)).splitlines() == [
        "[] -> #1 service:web:1, StopContainer, stop",
        "[1] -> #2 service:cache:1, StopContainer, stop",
        "[1] -> #3 service:db, StopProvider, its provider is told",
        "[3] -> #4 service:zone, StopProvider, its provider is told",
    ]
    plan = down(engine.observed, depends_on, Going(provided=providers_of(APP)))
    assert [(one.subject, one.needs) for one in plan if one.kind == "RemoveProvider"] == [
        ("service:db", (1, 2)), ("service:zone", (5,)),
    ]  # fmt: skip
    assert not [one for one in plan_stop(APP, engine.observed, depends_on, ["cache"]) if "Provider" in one.kind]
