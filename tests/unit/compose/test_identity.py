from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose import identity
from wharf.compose.model.project import Network, Volume

APP = "services: {web: {image: x%s, depends_on: [db], labels: {mine: 1}}, db: {build: ., container_name: one}}"


def test_names_are_chosen_or_made_of_project_service_and_number() -> None:
    app = project(APP % "")

    assert identity.container_name(app, app.services["web"], 2) == "app-web-2"
    assert identity.container_name(app, app.services["db"], 1) == "one"
    assert [identity.image_name(app, app.services[name]) for name in ("web", "db")] == ["x", "app-db"]


def test_labels_are_docker_composes() -> None:
    app = project(APP % "")
    labels = identity.container_labels(app, app.services["web"], 2)
    digest = labels.pop("com.docker.compose.config-hash")

    assert len(digest) == 64
    assert labels.pop("com.docker.compose.version")
    assert labels == {
        "mine": "1",
        "com.docker.compose.project": "app",
        "com.docker.compose.service": "web",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.container-number": "2",
        "com.docker.compose.project.working_dir": "/app",
        "com.docker.compose.project.config_files": "/app/compose.yaml",
        "com.docker.compose.depends_on": "db:service_started:false",
    }


@pytest.mark.parametrize("more", [", scale: 3", ", deploy: {replicas: 3}", ", profiles: []", ", pull_policy: always"])
def test_hash_leaves_out_what_no_container_has_to_be_made_anew_for(more: str) -> None:
    plain = "services: {web: {image: x%s}}"
    hashes = {identity.service_hash(project(plain % text).services["web"]) for text in ("", more)}

    assert len(hashes) == (1 if "deploy" not in more else 2)


@pytest.mark.parametrize("more", [", tty: true", ", environment: [A=<&>]", ", command: x"])
def test_hash_changes_with_what_a_container_is_made_of(more: str) -> None:
    plain = "services: {web: {image: x%s}}"

    assert identity.service_hash(project(plain % "").services["web"]) != identity.service_hash(
        project(plain % more).services["web"]
    )


def test_what_a_profile_leaves_out_is_no_dependency_of_a_container() -> None:
    app = project(
        "services: {web: {image: x, depends_on: {db: {condition: service_started, required: false}}},"
        " db: {image: x, profiles: [p]}}"
    )

    assert identity.container_labels(app, app.services["web"], 1)[identity.DEPENDENCIES] == ""


def test_hash_has_the_containers_whose_namespaces_and_volumes_are_used() -> None:
    app = project("services: {a: {image: x, network_mode: 'service:b', volumes_from: ['b:ro']}, b: {image: x}}")
    there = project("services: {a: {image: x, network_mode: 'container:1', volumes_from: ['container:1']}}")

    found = identity.service_hash(app.services["a"], lambda name: {"b": "1"}[name])

    assert found == identity.service_hash(there.services["a"], str)
    assert found != identity.service_hash(app.services["a"], lambda _: "2")


def test_networks_and_volumes_have_hashes_too() -> None:
    assert identity.network_hash(Network(name="n")) != identity.network_hash(Network(name="n", internal=True))
    assert identity.volume_hash(Volume(name="v")) == identity.volume_hash(Volume(name="v", driver="local"))


def test_filters_choose_a_projects_containers() -> None:
    assert identity.filters("app") == {"label": ["com.docker.compose.project=app", "com.docker.compose.oneoff=False"]}
    assert identity.filters("app", oneoff=None) == {"label": ["com.docker.compose.project=app"]}


def test_names_have_underscores_in_compatibility_mode() -> None:
    text = "name: shop\nservices: {web: {build: .}}"
    for found in (project(text, compatible=True), project(text, variables={"COMPOSE_COMPATIBILITY": "true"})):
        assert identity.container_name(found, found.services["web"], 2) == "shop_web_2"
        assert identity.image_name(found, found.services["web"]) == "shop_web"
    assert identity.image_name(project(text), project(text).services["web"]) == "shop-web"
