from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.plan.down import Going, dependencies, dependents_first, down
from wharf.compose.plan.observed import Container, Observed, Resource

OBSERVED = Observed(
    (Container("1", "app-db-1", "db", 1, "running"), Container("2", "app-web-1", "web", 1, "exited"),
     Container("3", "app-old-1", "old", 1, "running")),
    {"app_default": Resource("app_default", "n", "", "app", "default"), "out": Resource("out", "o")},
    {"app_data": Resource("app_data", "v", "", "app", "data"), "kept": Resource("kept", "k", "", "app", "kept")},
)  # fmt: skip
NEEDS = {"web": ["db"]}


def test_dependents_go_first_then_networks_then_volumes_and_images_on_demand() -> None:
    going = Going(volumes=True, images=["app-web"], external=frozenset({"kept"}))

    assert str(down(OBSERVED, NEEDS, going)).splitlines() == [
        "[] -> #1 service:web:1, RemoveContainer, the project goes",
        "[1] -> #2 service:db:1, StopContainer, the project goes",
        "[2] -> #3 service:db:1, RemoveContainer, the project goes",
        "[] -> #4 service:old:1, StopContainer, the project goes",
        "[4] -> #5 service:old:1, RemoveContainer, the project goes",
        "[1,3,5] -> #6 network:default, RemoveNetwork, the project goes",
        "[1,3,5] -> #7 volume:data, RemoveVolume, --volumes",
        "[1,3,5] -> #8 image:app-web, RemoveImage, --rmi",
    ]


def test_services_alone_leave_the_network_and_kept_ones_stay() -> None:
    assert [one.service for one in down(OBSERVED, NEEDS, Going(services=frozenset({"db"})))] == ["db", "db"]
    assert "old" not in str(down(OBSERVED, NEEDS, Going(kept=frozenset({"old"}))))


def test_cycles_are_cut_somewhere() -> None:
    assert sorted(dependents_first(["a", "b"], {"a": ["b"], "b": ["a"]})) == ["a", "b"]
    assert dependents_first(["a", "b", "c"], {"c": ["a"], "a": ["b"]}) == ["c", "a", "b"]


def test_dependencies_are_those_of_all_services() -> None:
    app = project(
        "services: {a: {image: x, depends_on: [b]}, b: {image: x}, c: {image: x, profiles: [p], links: [b]}}"
    )

    assert dependencies(app) == {"c": ["b"], "a": ["b"], "b": []}
