"""A project published to Debian's docker-registry, and run from there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.compose.conftest import Compose
from tests.root.registry import registry

pytestmark = pytest.mark.root

APP = """
name: published
services:
  web:
    extends: {file: base.yaml, service: base}
    env_file: own.env
    command: sh -c 'env; exec sleep 1000'
"""
BASE = "services: {base: {image: busybox, stop_grace_period: 0s, environment: {PASSWORD: hunter2}}}"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


def manifest(address: str, name: str) -> dict[str, object]:
    accept = "application/vnd.oci.image.manifest.v1+json"
    request = urllib.request.Request(f"http://{address}/v2/app/manifests/{name}", headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        found: dict[str, object] = json.loads(answer.read())
        return found


def test_project_is_published_and_runs_elsewhere(compose: Compose, address: str, tmp_path: Path) -> None:
    compose.write(APP)
    compose.write(BASE, "base.yaml")
    compose.write("FROM_FILE=yes\n", "own.env")
    asked = compose("publish", f"{address}/app:1")
    assert (asked.code, 'service "base": literal value for "PASSWORD"' in asked.err) == (130, True)
    done = compose("publish", "--with-env", "-y", f"{address}/app:1")
    assert done.code == 0, done
    assert manifest(address, "1")["artifactType"] == "application/vnd.docker.compose.project"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Compose(elsewhere, compose.cli, compose.daemon)
    other.done("-f", f"oci://{address}/app:1", "up", "-d")
    assert compose.states() == {"published-web-1": "running"}
    logs = other.done("-f", f"oci://{address}/app:1", "logs", "--no-log-prefix", "web")
    assert {"FROM_FILE=yes", "PASSWORD=hunter2"} <= set(logs.splitlines())

    other.write(f"include: ['oci://{address}/app:1']\nservices: {{more: {{image: busybox}}}}")
    assert other.done("config", "--services").split() == ["more", "web"]
    other.done("-p", "published", "down")


def test_application_is_published_with_its_images(compose: Compose, address: str) -> None:
    compose.daemon.get(f"/images/busybox/tag?repo={address}/box&tag=1", "POST")
    compose.write(f"services: {{web: {{image: '{address}/box:1', build: {{dockerfile_inline: FROM busybox}}}}}}")
    compose.done("push")
    done = compose("publish", "--app", "-y", "--oci-version", "1.0", f"{address}/app:2")
    assert done.code == 0, done

    found = manifest(address, "2")
    assert found["config"]["mediaType"] == "application/vnd.docker.compose.config.empty.v1+json"  # type: ignore[index]
    pinned = compose.done("-f", f"oci://{address}/app:2", "-p", "x", "config", "--images")
    assert pinned.startswith(f"{address}/box:1@sha256:")
    with urllib.request.urlopen(f"http://{address}/v2/_catalog") as answer:
        assert json.loads(answer.read())["repositories"] == ["app", "box"]
    digest = pinned.strip().partition("@")[2]
    assert manifest(address, digest)["layers"], "the image is in the application's repository, too"


def test_what_cannot_be_published_is_told(compose: Compose, address: str) -> None:
    compose.write("services: {web: {build: .}}")
    assert 'it only contains a build section for service(s):\n- "web"' in compose("publish", f"{address}/x").err
    assert "is not a compose project OCI artifact" in compose("-f", f"oci://{address}/box:1", "config").err
