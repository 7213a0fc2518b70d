"""Services that programs outside provide, and models, with programs of our own as provider and runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

PROVIDER = """#!/bin/sh
[ "$2" != metadata ] || { echo '{"description": "x", "up": {}, "down": {}, "stop": {}}'; exit; }
echo "$*" >> FOLDER/log
echo '{"type": "info", "message": "making it"}'
printf '{"type": "setenv", "message": "URL=%s"}\\n' "$(cat FOLDER/url)"
echo '{"type": "rawsetenv", "message": "SECRET=s"}'
"""
RUNNER = """#!/bin/sh
case "$1" in
    ls) echo '[]' ;;
    status) echo '{"endpoint": "http://runner"}' ;;
    *) echo "$*" >> FOLDER/models ;;
esac
"""
APP = """
services:
  db: {provider: {type: cloud}}
  web:
    image: busybox
    command: sh -c 'env | sort; exec sleep 1000'
    stop_grace_period: 0s
    depends_on: [db]
"""


@pytest.fixture
def programs(compose: Compose, tmp_path: Path) -> Iterator[Path]:
    for name, text in (("docker-cloud", PROVIDER), ("docker-model", RUNNER)):
        path = tmp_path / "cli-plugins" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("FOLDER", str(tmp_path)))
        path.chmod(0o755)
    (tmp_path / "url").write_text("one")
    compose.cli.environment["DOCKER_CONFIG"] = str(tmp_path)
    yield tmp_path
    del compose.cli.environment["DOCKER_CONFIG"]


def variables(compose: Compose) -> dict[str, str]:
    [web] = compose.done("ps", "-q", "web").split()
    return dict(one.split("=", 1) for one in compose.daemon.get(f"/containers/{web}/json")["Config"]["Env"])


def test_provider_is_asked_and_its_variables_reach_those_that_depend_on_it(compose: Compose, programs: Path) -> None:
    compose.write(APP)
    assert " Service db  making it\n" in compose("up", "-d").err
    assert (variables(compose)["DB_URL"], variables(compose)["SECRET"]) == ("one", "s")
    assert "making it" in compose("run", "--rm", "web", "true").err
    assert "DB_URL=one\n" in compose.done("run", "--rm", "web", "env")

    [before] = compose.done("ps", "-q", "web").split()
    assert compose.done("plan") == "[] -> #1 service:db, RunProvider, a provider is asked each time\n"
    compose.done("up", "-d")
    assert compose.done("ps", "-q", "web").split() == [before]
    (programs / "url").write_text("two")
    compose.done("up", "-d")
    assert variables(compose)["DB_URL"] == "two"

    (programs / "log").unlink()
    compose.done("stop")
    compose.done("down")
    assert (programs / "log").read_text().splitlines() == [
        "compose --project-name=app stop db", "compose --project-name=app down db",
    ]  # fmt: skip
    assert compose.states() == {}


def test_models_are_had_and_told(compose: Compose, programs: Path) -> None:
    compose.write("""
        services: {web: {image: busybox, command: sleep 1000, stop_grace_period: 0s, models: [llm]}}
        models: {llm: {model: ai/small, context_size: 5}}
        """)
    compose.done("up", "-d")

    assert (programs / "models").read_text() == "pull ai/small\nconfigure --context-size 5 ai/small\n"
    assert (variables(compose)["LLM_MODEL"], variables(compose)["LLM_URL"]) == ("ai/small", "http://runner")
    assert compose.done("plan") == "nothing to do\n"


def test_missing_program_is_told_with_its_place_before_anything_is_done(compose: Compose) -> None:
    compose.write(APP.replace("cloud", "no-such-cloud"))
    done = compose("up", "-d")
    assert (done.code, compose.states()) == (1, {})
    assert "compose.yaml:3: there is neither a plugin docker-no-such-cloud nor a program no-such-cloud" in done.err

    compose.write("services: {a: {image: busybox, models: [m]}}\nmodels: {m: {model: ai/m}}")
    done = compose("up", "-d")
    assert "compose.yaml:1: 'models' support requires Docker Model plugin" in done.err
