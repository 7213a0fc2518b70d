"""Every filter of every list and prune: taken where a dockerd takes it, and otherwise refused in its words."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.root.wharfd import Wharfd

pytestmark = pytest.mark.root

# What a dockerd takes (20.10 was asked about each; "all", "in-use" and "unused-for" are of later ones).
KNOWN = {
    "GET /containers/json": "ancestor exited expose health id is-task isolation label name network publish status"
    " volume",
    "POST /containers/prune": "until label label!",
    "GET /images/json": "dangling label reference until",
    "POST /images/prune": "dangling until label label!",
    "GET /volumes": "dangling driver label name",
    "POST /volumes/prune": "all label label!",
    "GET /networks": "dangling driver id label name scope type",
    "POST /networks/prune": "until label label!",
    "GET /events": "config container daemon event image label network node plugin scope secret service type volume",
    "GET /plugins": "capability enabled",
    "POST /build/prune": "until unused-for id parent type description inuse shared private label",
}
_VALUES = {
    "exited": "0", "expose": "80", "publish": "80", "health": "healthy", "status": "exited", "type": "custom",
    "until": "1s", "unused-for": "1s", "scope": "local",
    **dict.fromkeys(("dangling", "is-task", "all", "enabled", "inuse", "shared", "private"), "true"),
}  # fmt: skip


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("wharf", timeout=30)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@pytest.fixture(scope="module")
def connection(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Connection]:
    daemon = Wharfd(tmp_path_factory.mktemp("filters"), stocked)
    daemon.start()
    connection = _Connection(daemon.socket)
    yield connection
    connection.close()
    daemon.forget()


def _ask(connection: _Connection, endpoint: str, name: str, value: str) -> tuple[int, str]:
    method, path = endpoint.split(" ")
    query = f"filters={quote(json.dumps({name: [value]}))}&since=1&until=2"
    connection.request(method, f"{path}?{query}")
    answer = connection.getresponse()
    body = answer.read().decode()
    return answer.status, json.loads(body)["message"] if answer.status >= 400 else ""


@pytest.mark.parametrize("endpoint", KNOWN)
def test_a_filter_that_dockerd_has_is_taken_and_any_other_is_refused_by_name(
    connection: _Connection, endpoint: str
) -> None:
    names = KNOWN[endpoint].split()

    assert {name: _ask(connection, endpoint, name, _VALUES.get(name, "x")) for name in names} == dict.fromkeys(
        names, (200, "")
    )
    assert _ask(connection, endpoint, "colour", "red") == (400, "invalid filter 'colour'")
