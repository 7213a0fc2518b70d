from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.client.conftest import serve

from wharf.cli.command import Session
from wharf.cli.compose.containers import container_of, containers_of, name_of, number_of
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project
from wharf.errors import NotFound

__all__ = ["serve"]
_PREFIX = "com.docker.compose."


def summary(service: str, number: int) -> dict[str, object]:
    labels = {f"{_PREFIX}service": service, f"{_PREFIX}container-number": str(number)}
    return {"Id": f"{service}{number}", "Names": [f"/app-{service}-{number}"], "Labels": labels}


@pytest.fixture
def session(serve: Callable[..., str]) -> Iterator[Session]:
    """A session whose engine has three containers, in no order."""
    body = json.dumps([summary("web", 2), summary("db", 1), summary("web", 1)]).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    ping = b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK"
    session = Session(serve(ping, answer), explicit_host=True, version="1.51")
    yield session
    session.client.close()


_APP: Any = Project(name="app")


def test_containers_come_by_service_and_number(session: Session) -> None:
    assert [name_of(one) for one in containers_of(session, _APP)] == ["app-db-1", "app-web-1", "app-web-2"]


def test_only_some_services_are_asked_for(session: Session) -> None:
    assert [number_of(one) for one in containers_of(session, _APP, ["web"])] == [1, 2]


def test_one_is_chosen_by_its_number(session: Session) -> None:
    assert name_of(container_of(session, _APP, "web", 2)) == "app-web-2"


def test_one_that_is_not_there_is_said_so(session: Session) -> None:
    with pytest.raises(NotFound, match='service "web" is not running container #3'):
        container_of(session, _APP, "web", 3)


def test_a_service_that_the_files_do_not_have_is_refused(session: Session) -> None:
    with pytest.raises(ComposeError, match="no such service: nope"):
        containers_of(session, Project(name="app", files=["compose.yaml"]), ["nope"])
