from __future__ import annotations

from tests.fakes.compose import project

from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.work import Options, Work, service_order, shared_with, subject_of


def work() -> Work:
    there = (Container("1", "app-a-1", "a", 1, "running"), Container("2", "app-a-2", "a", 2, "exited"))
    return Work(project("services: {a: {image: x}}"), Observed(there), Options())


def test_container_is_stopped_once() -> None:
    found = work()
    one, two = found.observed.containers

    assert (found.stop(one, "why"), found.stop(one, "again"), found.stop(two, "why")) == (1, 1, None)
    assert str(found.plan) == "[] -> #1 service:a:1, StopContainer, why\n"


def test_what_is_removed_stays_no_more() -> None:
    found = work()
    one, two = found.observed.containers
    found.remove(one, "why")

    assert [each.id for each in found.staying("a")] == ["2"]
    assert found.remove(two, "why", [2]) == 3
    assert str(found.plan).splitlines()[2] == "[2] -> #3 service:a:2, RemoveContainer, why"
    assert subject_of(two) == "service:a:2"


def test_services_come_after_those_they_depend_on() -> None:
    app = project(
        "services: {a: {image: x, depends_on: [c]}, b: {image: x}, c: {image: x, depends_on: [d]}, d: {image: x}}"
    )

    assert service_order(app) == ["d", "c", "a", "b"]


def test_sharing_is_namespaces_and_volumes() -> None:
    app = project(
        "services: {a: {image: x, ipc: 'service:b', pid: host, volumes_from: ['c:ro', 'container:z']},"
        " b: {image: x}, c: {image: x}}"
    )

    assert shared_with(app.services["a"]) == ["b", "c"]
