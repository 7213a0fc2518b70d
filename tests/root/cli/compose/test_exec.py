from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root


def test_command_runs_in_the_container_that_is_meant(compose: Compose) -> None:
    compose.write("""
        services:
          web: {image: busybox, command: sleep 1000, init: true, stop_grace_period: 0s, scale: 2, environment: [A=b]}
    """)
    assert compose("exec", "-T", "web", "true").err == 'service "web" is not running\n'
    compose.done("up", "-d")
    ids = [compose.daemon.get(f"/containers/app-web-{number}/json")["Id"][:12] for number in (1, 2)]

    assert compose.done("exec", "-T", "web", "hostname").strip() == ids[0]
    assert compose.done("exec", "-T", "--index", "2", "web", "hostname").strip() == ids[1]
    assert (
        compose.done("exec", "-T", "-e", "C=d", "-w", "/etc", "web", "sh", "-c", "echo $A $C $(pwd)") == "b d /etc\n"
    )
    assert compose("exec", "-T", "web", "sh", "-c", "exit 4").code == 4
    assert compose.done("exec", "--dry-run", "-T", "web", "true").startswith("wharf exec --interactive ")
