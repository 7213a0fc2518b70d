from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root


def test_hooks_run_before_and_after_a_start_and_before_a_stop(compose: Compose) -> None:
    compose.write("""
        services:
          a:
            image: busybox
            command: sleep 1000
            init: true
            stop_grace_period: 0s
            environment: [WHO=service]
            volumes: ["data:/data"]
            scale: 2
            pre_start:
              - {command: [sh, -c, 'echo before $$WHO >>/data/log']}
              - {command: [sh, -c, 'echo each $$WHO >>/data/log'], per_replica: true, environment: [WHO=hook]}
            post_start: [{command: [sh, -c, 'echo after $$WHO $$(pwd) >>/data/log'], working_dir: /data}]
            pre_stop: [{command: [sh, -c, 'echo stop >>/data/log']}]
        volumes: {data: {}}
    """)
    compose.done("up", "-d")
    log = compose.cli("run", "--rm", "-v", "app_data:/data", "busybox", "cat", "/data/log").out.splitlines()
    assert sorted(log) == ["after service /data"] * 2 + ["before service"] + ["each hook"] * 2
    assert log[0] == "before service"

    compose.done("up", "-d")
    compose.done("down")
    log = compose.cli("run", "--rm", "-v", "app_data:/data", "busybox", "cat", "/data/log").out.splitlines()
    assert log[5:] == ["stop", "stop"]


@pytest.mark.parametrize("kind", ["pre_start", "post_start"])
def test_hook_that_fails_is_told_with_its_last_words(compose: Compose, kind: str) -> None:
    compose.write(f"""
        services:
          a: {{image: busybox, command: sleep 999, init: true, {kind}: [{{command: [sh, -c, 'echo oh no; exit 3']}}]}}
    """)
    done = compose("up", "-d")

    assert done.code == 1
    assert "exited with status 3\n  oh no\n" in done.err
    assert list(compose.states()) == ["app-a-1"]
