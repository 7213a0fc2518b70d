"""down of real projects."""

from __future__ import annotations

import pytest
from tests.root.cli.compose.test_up import APP
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root


def test_services_alone_go_and_the_rest_stays(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    compose.done("down", "web")

    assert compose.states() == {"app-db-1": "running"}
    refused = compose("down", "nobody")
    assert (refused.code, "no such service: nobody" in refused.err) == (1, True)


def test_dry_run_prints_the_plan_and_nothing_goes(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")

    assert "service:db:1, StopContainer, the project goes\n" in compose.done("down", "--dry-run")
    assert len(compose.states()) == 3


def test_nothing_to_remove_is_no_failure(compose: Compose) -> None:
    compose.write(APP)
    done = compose("down")

    assert (done.code, done.err) == (0, "WARNING: no resource found to remove for project app\n")


def test_project_goes_by_its_name_without_files(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    (compose.folder / "compose.yaml").unlink()
    assert compose.done("-p", "app", "ps", "--services").split() == ["db", "web"]
    compose.done("-p", "app", "down", "-v")

    assert compose.states() == {}
