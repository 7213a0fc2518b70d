from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.located import ComposeError
from wharf.compose.load.profiles import closure, pruned, selected, with_profiles

APP = """
services:
  web: {image: x, depends_on: [db], networks: [front]}
  db: {image: x, volumes: ["data:/d"]}
  debug: {image: x, profiles: [debug, all]}
networks: {front: {}, back: {}}
volumes: {data: {}, old: {}}
"""


def test_service_with_profiles_is_on_when_one_is_active_or_it_is_named() -> None:
    assert list(project(APP).services) == ["web", "db"]
    assert list(project(APP, profiles=["all"]).services) == ["web", "db", "debug"]
    assert list(project(APP, profiles=["*"]).services) == ["web", "db", "debug"]
    assert list(project(APP, variables={"COMPOSE_PROFILES": "x, debug"}).services) == ["web", "db", "debug"]
    assert list(project(APP, services=["debug"]).services) == ["debug"]


def test_profiles_can_be_chosen_again() -> None:
    assert list(with_profiles(project(APP), ["debug"]).services) == ["debug", "web", "db"]


def test_selection_takes_along_what_is_depended_on() -> None:
    assert sorted(selected(project(APP), ["web"]).services) == ["db", "web"]
    alone = selected(project(APP), ["web"], dependencies=False)

    assert (list(alone.services), alone.services["web"].depends_on) == (["web"], {})
    assert closure(project(APP), ["web", "gone"]) == {"web", "db"}


def test_service_that_is_not_there_is_refused() -> None:
    with pytest.raises(ComposeError, match="no such service: gone"):
        selected(project(APP), ["gone"])
    with pytest.raises(ComposeError, match="service debug is disabled by its profiles"):
        selected(project(APP), ["debug"])


def test_what_no_service_uses_goes_unless_all_is_asked_for() -> None:
    assert (list(project(APP).networks), list(project(APP).volumes)) == (["front", "default"], ["data"])
    everything = project(APP, all_resources=True)

    assert (list(everything.networks), list(everything.volumes)) == (["front", "back", "default"], ["data", "old"])
    assert list(pruned(everything).volumes) == ["data"]
