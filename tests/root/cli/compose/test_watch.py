from __future__ import annotations

import os

import pytest
from tests.root.compose.conftest import Compose
from tests.root.wharfd import until

pytestmark = pytest.mark.root

APP = r"""
services:
  web:
    build: {context: ., dockerfile_inline: "FROM busybox\nCOPY version /version\nCMD [\"sleep\",\"1000\"]\n"}
    init: true
    stop_grace_period: 0s
    develop:
      watch:
        - {path: ./src, action: sync, target: /src, ignore: ["*.tmp"], initial_sync: true}
        - {path: ./conf, action: sync+exec, target: /conf, exec: {command: "sh -c 'cp /conf/a /seen'"}}
        - {path: ./version, action: rebuild}
"""


def images(compose: Compose) -> list[str]:
    """Return the ids of the images that builds of the project left."""
    filters = "%7B%22label%22%3A%5B%22com.docker.compose.project%3Dapp%22%5D%7D"
    return [one["Id"] for one in compose.daemon.get(f"/images/json?all=1&filters={filters}")]


def test_changes_are_brought_into_containers_as_they_happen(compose: Compose) -> None:
    compose.write(APP)
    for folder in ("src/deep", "conf"):
        (compose.folder / folder).mkdir(parents=True)
    compose.write("1\n", "version")
    compose.write("first\n", "src/first")
    watching = compose.start("watch")
    assert watching.stdout is not None
    while watching.stdout.readline() != "Watch enabled\n":
        assert watching.poll() is None

    def shell(script: str) -> str:
        return compose("exec", "-T", "web", "sh", "-c", script).out

    try:
        assert shell("cat /src/first") == "first\n"
        compose.write("two\n", "src/deep/two")
        compose.write("not this\n", "src/x.tmp")
        until(lambda: shell("cat /src/deep/two") == "two\n")
        os.unlink(compose.folder / "src/deep/two")
        until(lambda: shell("ls /src/deep") == "")
        assert shell("ls /src") == "deep\nfirst\n"

        compose.write("conf\n", "conf/a")
        until(lambda: shell("cat /seen") == "conf\n")
        [before] = images(compose)
        compose.write("2\n", "version")
        until(lambda: shell("cat /version") == "2\n")
        until(lambda: before not in images(compose))
    finally:
        watching.terminate()
        watching.communicate(timeout=60)
        compose.done("down", "--rmi", "local")


def test_nothing_to_follow_is_told(compose: Compose) -> None:
    compose.write("services: {a: {image: busybox, command: x}}")

    assert "nothing to follow" in compose("watch").err
