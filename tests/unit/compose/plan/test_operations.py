from __future__ import annotations

from wharf.compose.plan.operations import Details, Plan


def test_plan_prints_itself_with_needs_and_causes() -> None:
    plan = Plan()
    first = plan.add("CreateNetwork", "network:front", "no such network")
    plan.add("CreateContainer", "service:web:2", "no existing container", [first, None, first, 0], Details(name="x"))

    assert str(plan) == (
        "[] -> #1 network:front, CreateNetwork, no such network\n"
        "[1] -> #2 service:web:2, CreateContainer, no existing container\n"
    )
    assert len(plan) == 2


def test_operation_knows_its_service_and_its_replica() -> None:
    plan = Plan()
    plan.add("CreateContainer", "service:web:2", "")
    plan.add("Await", "service:web", "")
    plan.add("CreateVolume", "volume:web:2", "")

    assert [(one.service, one.replica) for one in plan] == [("web", 2), ("web", 0), ("", 0)]
