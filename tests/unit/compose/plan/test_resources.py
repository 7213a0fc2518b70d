from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose import identity
from wharf.compose.plan.observed import Observed, Resource
from wharf.compose.plan.resources import diverged_volumes, foreign_volumes, plan_networks, plan_volumes
from wharf.compose.plan.work import Options, Work
from wharf.errors import Conflict

APP = project(
    "services: {a: {image: x, volumes: ['vol:/v'], networks: [net]}}\nvolumes: {vol: {}}\nnetworks: {net: {}}"
)


def work(**observed: dict[str, Resource]) -> Work:
    return Work(APP, Observed((), **observed), Options())


def test_what_is_there_and_ours_needs_nothing() -> None:
    network = Resource("app_net", "1", identity.network_hash(APP.networks["net"]), "app", "net")
    volume = Resource("app_vol", "1", identity.volume_hash(APP.volumes["vol"]), "app", "vol")
    found = work(networks={"app_net": network}, volumes={"app_vol": volume})
    plan_networks(found)
    plan_volumes(found)

    assert (str(found.plan), found.resources) == ("", {})


def test_what_is_made_is_remembered_for_who_needs_it() -> None:
    found = work()
    plan_networks(found)
    plan_volumes(found)

    assert found.resources == {"network:net": 1, "volume:vol": 2}


def test_network_that_nobody_labelled_is_not_taken() -> None:
    with pytest.raises(Conflict, match="a network with name app_net exists but was not created by compose"):
        plan_networks(work(networks={"app_net": Resource("app_net", "1")}))


def test_volumes_that_differ_and_those_of_others_are_told_apart() -> None:
    changed = work(volumes={"app_vol": Resource("app_vol", "1", "other", "app")})
    foreign = work(volumes={"app_vol": Resource("app_vol", "1", "", "")})

    def told(one: Work) -> tuple[list[str], list[str]]:
        found = foreign_volumes(one.project, one.observed)
        return diverged_volumes(one.project, one.observed), [volume.name for volume in found]

    assert told(changed) == (["app_vol"], [])
    assert told(foreign) == ([], ["app_vol"])
