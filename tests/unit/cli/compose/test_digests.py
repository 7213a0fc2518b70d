from __future__ import annotations

from typing import cast

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.digests import locked, pinned
from wharf.client.client import Client
from wharf.errors import NotFound

APP = """
services:
  web: {image: web, pre_start: [{image: hook, command: x}], volumes: [{type: image, source: data:1, target: /d}]}
  db: {image: "db@sha256:%s"}
  job: {build: .}
""" % ("b" * 64)


class Registry:
    """Answers ``GET /distribution/NAME/json`` as an engine does."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def request(self, method: str, path: str, **_: object) -> Registry:
        assert (method, path.split("/")[1], path.rsplit("/", maxsplit=1)[-1]) == ("GET", "distribution", "json")
        self.asked.append(path.removeprefix("/distribution/").removesuffix("/json"))
        if self.asked[-1] == "gone":
            raise NotFound("no such manifest")
        return self

    def json(self) -> object:
        return {"Descriptor": {"digest": "sha256:" + "a" * 64}}


def test_each_image_is_asked_for_once_and_pinned() -> None:
    registry = Registry()
    found = pinned(project(APP), cast("Client", registry)).services
    digest = "@sha256:" + "a" * 64

    assert found["web"].image == f"docker.io/library/web:latest{digest}"
    assert found["web"].pre_start[0].image == f"docker.io/library/hook:latest{digest}"
    assert found["web"].volumes[0].source == f"docker.io/library/data:1{digest}"
    assert (found["db"].image, found["job"].image) == ("db@sha256:" + "b" * 64, "")
    assert sorted(registry.asked) == ["data:1", "hook", "web"]


def test_image_that_no_registry_has_is_told() -> None:
    with pytest.raises(NotFound):
        pinned(project("services: {a: {image: gone}}"), cast("Client", Registry()))


def test_lock_holds_images_alone_and_says_what_it_leaves_out() -> None:
    warnings: list[str] = []
    document = locked(project(APP), warnings.append)

    assert document["services"] == {
        "web": {"image": "web", "volumes": [{"type": "image", "source": "data:1", "target": "/d"}]},
        "db": {"image": "db@sha256:" + "b" * 64},
        "job": {},
    }
    assert len(warnings) == 1
    assert warnings[0].startswith('service "web": images of pre_start hooks are not pinned')
