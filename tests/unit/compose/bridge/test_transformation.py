from __future__ import annotations

import pytest
from tests.fakes.compose import MemoryFiles, project

from wharf.compose.bridge.transformation import dockerfile, model
from wharf.compose.load.located import ComposeError

APP = """
name: app
services:
  web:
    image: web
    expose: ["70"]
    ports: ["8080:80", "53/udp"]
    secrets: [file, variable, far]
    configs: [inline]
  db: {build: .}
secrets: {file: {file: ./key}, variable: {environment: TOKEN}, far: {external: true}}
configs: {inline: {content: "a$$b"}}
"""


def test_services_have_images_and_all_ports_that_they_expose() -> None:
    found = model(project(APP), {"web": ["80/tcp", "90"]}, MemoryFiles({"/app/key": "k"}))

    services = found["services"]
    assert isinstance(services, dict)
    assert services["web"]["expose"] == ["70", "80", "90", "53"]
    assert services["db"]["image"] == "app-db"
    assert "expose" not in services["db"]


def test_secrets_and_configs_have_what_is_in_them() -> None:
    found = model(project(APP, variables={"TOKEN": "t"}), {}, MemoryFiles({"/app/key": "k\n"}))

    secrets, configs = found["secrets"], found["configs"]
    assert isinstance(secrets, dict)
    assert {name: one.get("content") for name, one in secrets.items()} == {
        "far": None,
        "file": "k\n",
        "variable": "t",
    }
    assert configs == {"inline": {"name": "app_inline", "content": "a$b"}}


def test_secret_without_its_file_is_an_error() -> None:
    with pytest.raises(ComposeError, match="no such file: /app/key"):
        model(project(APP), {}, MemoryFiles({}))


def test_new_transformation_is_found_by_its_label() -> None:
    assert "LABEL com.docker.compose.bridge=transformation\n" in dockerfile()
