from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.compose import project

from wharf.compose import identity
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.replicas import plan_replicas
from wharf.compose.plan.work import Options, Work

APP = project(
    "services: {a: {image: x, scale: 2, volumes: ['vol:/v'], links: [b]}, b: {image: x}}\nvolumes: {vol: {}}"
)
GOOD = Container(
    "1" * 64, "app-a-1", "a", 1, "running", identity.service_hash(APP.services["a"]), "sha256:1",
    frozenset({"app_default"}), (("volume", "app_vol", "/v"),),
)  # fmt: skip


def planned(*there: Container, options: Options | None = None) -> Work:
    work = Work(APP, Observed(there, images={"x": "sha256:1"}), options or Options())
    work.made["b"] = [work.plan.add("CreateContainer", "service:b:1", "no existing container")]
    plan_replicas(work, APP.services["a"])
    return work


def test_missing_numbers_are_filled_first() -> None:
    work = planned(replace(GOOD, number=2, name="app-a-2"))

    assert str(work.plan).splitlines()[1:] == ["[1] -> #2 service:a:1, CreateContainer, no existing container"]


def test_those_that_do_not_run_go_first() -> None:
    three = [replace(GOOD, id=str(n) * 64, number=n, state="exited" if n == 1 else "running") for n in (1, 2, 3)]

    assert str(planned(*three).plan).splitlines()[1:] == ["[] -> #2 service:a:1, RemoveContainer, scaled down to 2"]


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (replace(GOOD, config_hash="other"), "the service's configuration changed"),
        (replace(GOOD, image="sha256:0"), "the image changed"),
        (replace(GOOD, networks=frozenset()), "not in the network default"),
        (replace(GOOD, mounts=()), "the volume vol is not mounted"),
    ],
)
def test_container_that_differs_is_replaced_for_its_cause(one: Container, cause: str) -> None:
    made = [operation for operation in planned(one).plan if operation.kind == "CreateContainer"][1]

    assert (made.cause, made.details.name, made.details.inherit) == (cause, "111111111111_app-a-1", one.id)


def test_container_is_replaced_when_it_is_to_share_with_another() -> None:
    app = project("services: {a: {image: x, pid: 'service:b'}, b: {image: x, scale: 2}}")
    first, second = (Container(str(n) * 64, f"app-b-{n}", "b", n, "running") for n in (1, 2))
    digest = identity.service_hash(app.services["a"], lambda _: first.id)
    one = replace(GOOD, config_hash=digest, mounts=())

    def causes(*there: Container, made: str = "") -> list[str]:
        work = Work(app, Observed((one, *there), images={"x": "sha256:1"}), Options())
        if made:
            work.made["b"] = [work.plan.add("CreateContainer", made, "no existing container")]
        plan_replicas(work, app.services["a"])
        return [operation.cause for operation in work.plan if operation.subject == "service:a:1"][:1]

    assert causes(first, second) == []
    assert causes(first, made="service:b:2") == []
    assert causes(second) == ["the service's configuration changed"]
    assert causes(second, made="service:b:1") == ["the service's configuration changed"]


def test_anonymous_volumes_are_left_behind_on_demand() -> None:
    work = planned(replace(GOOD, image="sha256:0"), options=Options(renew_volumes=True))

    assert {operation.details.inherit for operation in work.plan} == {""}


def test_container_without_a_label_of_its_image_stays() -> None:
    assert len(planned(replace(GOOD, image=""), replace(GOOD, id="2" * 64, number=2)).plan) == 1
