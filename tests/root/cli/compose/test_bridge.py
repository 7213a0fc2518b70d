"""A project converted by a transformation that is built here, and containers described by a Compose file."""

from __future__ import annotations

import json

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

APP = """
name: app
services:
  web: {image: busybox, ports: ["8080:80"], secrets: [key], expose: ["70"], stop_grace_period: 0s,
        command: sleep 1000}
secrets: {key: {file: ./key}}
"""
TRANSFORMATION = """
FROM busybox
LABEL com.docker.compose.bridge=transformation
RUN mkdir /templates && echo hi > /templates/a.tmpl
CMD ["sh", "-c", "cat /in/compose.yaml /templates/* > /out/found; id -u >> /out/found; exit $(grep -c FAIL /in/*)"]
"""


def test_transformations_convert_projects_and_are_made_of_one_another(compose: Compose) -> None:
    compose.write(APP)
    compose.write("sesame\n", "key")
    compose.write(TRANSFORMATION, "Dockerfile")
    compose.cli.ok("build", "-q", "-t", "me/trans:1", str(compose.folder))

    assert compose.done("bridge", "transformations", "ls", "-q") == "me/trans:1\n"
    listed = json.loads(compose.done("bridge", "transformations", "list", "--format", "json"))
    assert [one["RepoTags"] for one in listed] == [["me/trans:1"]]

    compose.done("bridge", "convert", "-t", "me/trans:1")
    found = (compose.folder / "out/found").read_text()
    assert 'expose:\n      - "70"\n      - "80"\n' in found
    assert "content: |\n      sesame\n" in found
    assert found.endswith("hi\n0\n")

    compose.write("FAIL", "key")
    failed = compose("bridge", "convert", "-t", "me/trans:1")
    assert (failed.code, "me/trans:1 failed" in failed.err) == (1, True)
    assert (compose.folder / "out/found").read_text() == found, "a failure loses nothing"
    absent = compose("bridge", "convert", "-t", "localhost:1/absent")
    assert (absent.code, "localhost:1" in absent.err) == (1, True)

    compose.done("bridge", "transformations", "create", "--from", "me/trans:1", "new")
    assert (compose.folder / "new/templates/a.tmpl").read_text() == "hi\n"
    assert sorted(path.name for path in (compose.folder / "new").iterdir()) == ["Dockerfile", "templates"]
    assert sorted(path.name for path in compose.folder.iterdir()) == [
        "Dockerfile",
        "compose.yaml",
        "key",
        "new",
        "out",
    ]
    assert compose.states() == {}

    compose.done("up", "-d")
    generated = compose.done("alpha", "generate", "--name", "again", "--project-dir", ".", "app-web-1")
    compose.write(generated, "generated.yaml")
    again = compose.done("-f", "generated.yaml", "config", "--format", "json")
    assert json.loads(again)["services"]["web"]["ports"][0]["published"] == "8080"
    compose.done("down")
