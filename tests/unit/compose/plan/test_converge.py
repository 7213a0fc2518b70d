from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.compose import project
from tests.fakes.simulated import Simulated

from wharf.compose import identity
from wharf.compose.plan.converge import converge, orphans
from wharf.compose.plan.observed import Container
from wharf.compose.plan.operations import Plan
from wharf.compose.plan.work import Options
from wharf.errors import Conflict

APP = """
services:
  db: {image: pg, volumes: ["data:/d"], healthcheck: {test: [CMD, x]}}
  web: {image: web, scale: 2, depends_on: {db: {condition: service_healthy}}}
volumes: {data: {}}
"""


def lines(plan: Plan) -> list[str]:
    return str(plan).splitlines()


def up(text: str, before: Simulated | None = None, **options: object) -> tuple[Plan, Simulated]:
    """Plan for a text, and carry it out on what there was before."""
    wished = project(text)
    engine = Simulated(wished, before.observed if before is not None else None)
    plan = converge(wished, engine.observed, Options(**options))  # type: ignore[arg-type]
    engine.do(plan)
    return plan, engine


def test_everything_is_made_in_the_order_of_needs() -> None:
    plan, _ = up(APP)

    assert lines(plan) == [
        "[] -> #1 network:default, CreateNetwork, no such network",
        "[] -> #2 volume:data, CreateVolume, no such volume",
        "[1,2] -> #3 service:db:1, CreateContainer, no existing container",
        "[1] -> #4 service:web:1, CreateContainer, no existing container",
        "[1] -> #5 service:web:2, CreateContainer, no existing container",
        "[3] -> #6 service:db:1, StartContainer, created",
        "[6] -> #7 service:db, Await, it is to be healthy",
        "[4,7] -> #8 service:web:1, StartContainer, created",
        "[5,7] -> #9 service:web:2, StartContainer, created",
    ]


def test_what_changed_is_replaced_and_nothing_else() -> None:
    _, engine = up(APP)
    plan, engine = up(APP.replace("image: web,", "image: web, tty: true,"), engine)

    assert {operation.service for operation in plan} == {"web"}
    assert lines(plan)[:4] == [
        "[] -> #1 service:web:1, CreateContainer, the service's configuration changed",
        "[1] -> #2 service:web:1, StopContainer, replaced by #1",
        "[1,2] -> #3 service:web:1, RemoveContainer, replaced by #1",
        "[3] -> #4 service:web:1, RenameContainer, the name is free",
    ]
    assert sorted(one.name for one in engine.containers.values()) == ["app-db-1", "app-web-1", "app-web-2"]


def test_scale_takes_away_the_highest_and_adds_what_is_missing() -> None:
    _, engine = up(APP)
    plan, engine = up(APP.replace("scale: 2", "scale: 1"), engine)
    assert lines(plan) == [
        "[] -> #1 service:web:2, StopContainer, scaled down to 1",
        "[1] -> #2 service:web:2, RemoveContainer, scaled down to 1",
    ]
    plan, engine = up(APP.replace("scale: 2", "scale: 3"), engine)
    assert sorted(operation.subject for operation in plan if operation.kind == "CreateContainer") == [
        "service:web:2", "service:web:3",
    ]  # fmt: skip


def test_forced_are_all_named_and_dependencies_only_on_demand() -> None:
    _, engine = up(APP)
    plan, _ = up(APP, engine, recreate="force", named=frozenset({"web"}))
    assert {one.service for one in plan if one.kind == "CreateContainer"} == {"web"}
    plan, _ = up(APP, engine, recreate="force", recreate_dependencies="force", named=frozenset({"web"}))
    assert {one.service for one in plan if one.kind == "CreateContainer"} == {"db", "web"}


def test_never_leaves_what_is_there() -> None:
    _, engine = up(APP)
    plan, _ = up(APP.replace("image: web", "image: other"), engine, recreate="never")

    assert len(plan) == 0


def test_new_image_of_the_same_name_is_a_reason() -> None:
    _, engine = up(APP)
    engine.images["web"] = "sha256:2"
    plan = converge(engine.project, engine.observed, Options())

    assert lines(plan)[0] == "[] -> #1 service:web:1, CreateContainer, the image changed"


def test_dependents_that_want_it_are_stopped_first_and_started_again() -> None:
    restarting = APP.replace("condition: service_healthy", "condition: service_healthy, restart: true")
    _, engine = up(restarting)
    plan, engine = up(restarting.replace("image: pg", "image: pg:2"), engine)

    assert lines(plan) == [
        "[] -> #1 service:web:1, StopContainer, db, which it depends on, is replaced",
        "[] -> #2 service:web:2, StopContainer, db, which it depends on, is replaced",
        "[] -> #3 service:db:1, CreateContainer, the service's configuration changed",
        "[1,2,3] -> #4 service:db:1, StopContainer, replaced by #3",
        "[1,2,3,4] -> #5 service:db:1, RemoveContainer, replaced by #3",
        "[5] -> #6 service:db:1, RenameContainer, the name is free",
        "[6] -> #7 service:db:1, StartContainer, created",
        "[7] -> #8 service:db, Await, it is to be healthy",
        "[1,8] -> #9 service:web:1, StartContainer, it was stopped",
        "[2,8] -> #10 service:web:2, StartContainer, it was stopped",
    ]


def test_what_shares_with_a_replaced_container_is_replaced_after_it() -> None:
    sharing = "services: {a: {image: x%s}, b: {image: x, network_mode: 'service:a'}}"
    _, engine = up(sharing % "")
    plan, _ = up(sharing % ", tty: true", engine)
    made = [operation for operation in plan if operation.kind == "CreateContainer"]

    assert [(one.service, one.cause) for one in made] == [
        ("a", "the service's configuration changed"), ("b", "a container it shares with is replaced"),
    ]  # fmt: skip
    assert made[1].needs == (5,)


def test_network_that_changed_is_made_anew_without_its_containers() -> None:
    text = "services: {a: {image: x}}\nnetworks: {default: {internal: %s}}"
    _, engine = up(text % "false")
    plan, engine = up(text % "true", engine)

    assert [operation.kind for operation in plan] == [
        "StopContainer", "Disconnect", "RemoveNetwork", "CreateNetwork", "CreateContainer", "RemoveContainer",
        "RenameContainer", "StartContainer",
    ]  # fmt: skip


def test_volume_that_changed_goes_only_on_demand() -> None:
    changed = APP.replace("data: {}", "data: {driver_opts: {type: tmpfs}}")
    _, engine = up(APP)

    assert len(up(changed, engine)[0]) == 0
    plan, _ = up(changed, engine, recreate_volumes=True)
    kinds = [operation.kind for operation in plan]
    assert kinds[:4] == ["StopContainer", "RemoveContainer", "RemoveVolume", "CreateVolume"]


def test_orphans_stay_unless_they_shall_go() -> None:
    _, engine = up(APP)
    less = "services: {web: {image: web, scale: 2}}"
    plan, _ = up(less, engine)
    assert "db" not in {operation.service for operation in plan}
    assert [one.service for one in orphans(project(less), engine.observed)] == ["db"]
    plan, engine = up(less, engine, remove_orphans=True)
    assert "db" not in {one.service for one in engine.containers.values()}


def test_created_only_is_not_started_and_a_later_up_starts_it() -> None:
    _, engine = up(APP, start=False)
    plan, _ = up(APP, engine)

    assert lines(plan)[0] == "[] -> #1 service:db:1, StartContainer, it is created"


def test_waiting_is_for_all_services() -> None:
    plan, engine = up(APP, wait=True)
    assert lines(plan)[-1] == "[8,9] -> #10 service:web, Await, it is to be running"
    assert len(up(APP, engine, wait=True)[0]) == 0


def test_hooks_before_the_first_start_run_in_the_declared_order() -> None:
    text = """
services:
  a: {image: x, scale: 2, pre_start: [{command: one}, {command: each, per_replica: true}, {command: last}]}
"""
    plan, engine = up(text)

    assert [line.partition(" -> ")[2] for line in lines(plan)][3:] == [
        "#4 service:a, RunPreStart, before the first start",
        "#5 service:a:1, RunPreStart, before its first start",
        "#6 service:a:2, RunPreStart, before its first start",
        "#7 service:a, RunPreStart, before the first start",
        "#8 service:a:1, StartContainer, created",
        "#9 service:a:2, StartContainer, created",
    ]
    assert [operation.needs for operation in plan][3:7] == [(2, 3), (4,), (4,), (5, 6)]
    engine._change(next(iter(engine.containers)), state="exited")
    assert [operation.kind for operation in up(text, engine)[0]] == ["StartContainer"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true}}",
         "network n declared as external, but could not be found"),
        ("services: {a: {image: x, volumes: ['vol:/x']}}\nvolumes: {vol: {external: true}}",
         'external volume "vol" not found'),
    ],
)  # fmt: skip
def test_what_must_be_there_and_is_not_is_told(text: str, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        up(text)


def test_network_of_another_project_is_not_taken() -> None:
    _, engine = up("services: {a: {image: x}}\nnetworks: {default: {name: shared}}")
    stolen = "name: other\nservices: {a: {image: x}}\nnetworks: {default: {name: shared}}"

    with pytest.raises(Conflict, match='a network with name shared exists but was not created for project "other"'):
        up(stolen, engine)


_SERVICE = st.fixed_dictionaries({
    "image": st.sampled_from(["x", "y"]), "tty": st.booleans(), "scale": st.integers(0, 3),
    "volumes": st.lists(st.sampled_from(["one:/1", "two:/2"]), max_size=2, unique=True),
    "networks": st.lists(st.sampled_from(["front", "back"]), min_size=1, max_size=2, unique=True),
    "depends_on": st.sampled_from(["none", "service_started", "service_healthy"]), "restart": st.booleans(),
    "share": st.booleans(), "pre_start": st.booleans(),
})  # fmt: skip


def _text(services: Iterable[dict[str, object]], *, internal: bool) -> str:
    out = "services:\n"
    for index, one in enumerate(services):
        out += (
            f"  s{index}:\n    image: {one['image']}\n    tty: {str(one['tty']).lower()}\n    scale: {one['scale']}\n"
        )
        out += "    healthcheck: {test: [CMD, x]}\n"
        out += "".join(f"    volumes: [{', '.join(one['volumes'])}]\n" for _ in range(bool(one["volumes"])))  # type: ignore[arg-type]
        shares = index > 0 and one["share"]
        out += f"    pid: 'service:s{index - 1}'\n" if shares else ""
        out += f"    networks: [{', '.join(one['networks'])}]\n"  # type: ignore[arg-type]
        if index and one["depends_on"] != "none" and not shares:
            how = f"condition: {one['depends_on']}, restart: {str(one['restart']).lower()}"
            out += f"    depends_on: {{s{index - 1}: {{{how}}}}}\n"
        out += "    pre_start: [{command: x}]\n" if one["pre_start"] else ""
    return (
        out + f"volumes: {{one: {{}}, two: {{}}}}\nnetworks: {{front: {{internal: {str(internal).lower()}}},"
        f" back: {{}}}}\n"
    )


_APPS = st.builds(_text, st.lists(_SERVICE, min_size=1, max_size=4), internal=st.booleans())


@given(_APPS, _APPS, st.sampled_from(["diverged", "force"]))
def test_planning_after_executing_gives_an_empty_plan(first: str, second: str, recreate: str) -> None:
    _, engine = up(first, remove_orphans=True)
    _, engine = up(second, engine, remove_orphans=True, recreate=recreate)

    assert lines(converge(engine.project, engine.observed, Options(remove_orphans=True))) == []
    wished = {
        identity.container_name(engine.project, service, number)
        for service in engine.project.services.values()
        for number in range(1, service.replicas + 1)
    }
    assert {one.name for one in engine.containers.values()} == wished
    for one in engine.containers.values():
        service = engine.project.services[one.service]
        assert one.config_hash == identity.service_hash(service, engine.first_of)
        assert one.image == engine.images[identity.image_name(engine.project, service)]
    assert all(one.state == "running" for one in engine.containers.values())


def test_orphans_leave_out_one_off_containers() -> None:
    oneoff = Container("1", "app-gone-run-1", "gone", 1, "running", oneoff=True)
    _, engine = up(APP)
    engine.containers["1"] = oneoff

    assert orphans(engine.project, engine.observed) == []
