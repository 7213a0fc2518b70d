from __future__ import annotations

import pytest
from tests.fakes.compose import project
from tests.root.compose.conftest import Compose

from wharf.compose.execute.engine import Engine
from wharf.compose.execute.observe import containers, image_id, observe

pytestmark = pytest.mark.root

APP = """
services: {a: {image: busybox, command: sleep 1000, stop_grace_period: 0s, volumes: ["data:/data"]}}
volumes: {data: {}}
"""


def test_what_there_is_of_a_project_is_seen(compose: Compose, engine: Engine) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    compose.cli("run", "-d", "--label", "com.docker.compose.project=app", "--label", "com.docker.compose.oneoff=True",
                "busybox", "true")  # fmt: skip
    seen = observe(engine, "app")
    [one] = containers(engine, "app")

    assert (one.name, one.state, one.networks) == ("app-a-1", "running", frozenset({"app_default"}))
    assert one.image == image_id(engine, "busybox")
    assert [each.oneoff for each in seen.containers] == [True, False]
    assert (list(seen.networks), list(seen.volumes)) == (["app_default"], ["app_data"])


def test_what_docker_compose_told_a_container_is_what_its_image_does_not(compose: Compose, engine: Engine) -> None:
    text = "services: {a: {image: busybox, models: [m]}, b: {image: busybox}}\nmodels: {m: {model: ai/m}}"
    for service in ("a", "b"):
        labels = [f"com.docker.compose.{name}" for name in ("project=app", f"service={service}", "oneoff=False")]
        flags = [word for label in labels for word in ("--label", label)]
        compose.cli("create", "--env", "M_MODEL=ai/m", *flags, "busybox", "true")

    seen = {one.service: one.environment for one in observe(engine, "app", project(text)).containers}
    assert seen == {"a": ("M_MODEL=ai/m",), "b": ()}


def test_what_the_project_names_is_looked_for_too(compose: Compose, engine: Engine) -> None:
    compose.cli("volume", "create", "theirs")
    wished = project("services: {a: {image: x, volumes: ['v1:/v']}}\nvolumes: {v1: {external: true, name: theirs}}")
    seen = observe(engine, "app", wished)

    assert (seen.volumes["theirs"].project, seen.networks) == ("", {})
    assert image_id(engine, "nobody/has-this") == ""
