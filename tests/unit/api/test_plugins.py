from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fakes.http import Served, scenario

from wharf.errors import NotFound

_GRANTS = [{"Name": "network", "Description": "", "Value": ["host"]}]


@pytest.mark.parametrize(
    ("method", "path", "body", "called"),
    [
        (
            "GET",
            "/plugins?filters=%7B%22enabled%22%3A%5B%22true%22%5D%7D",
            None,
            ("list", ({"enabled": ["true"]},), {}),
        ),
        ("GET", "/plugins/a/b:1/json", None, ("inspect", ("a/b:1",), {})),
        ("GET", "/plugins/privileges?remote=a/b", None, ("privileges", ("a/b",), {"auth": ""})),
        ("POST", "/plugins/a/b:1/set", ["A=1"], ("set", ("a/b:1", ["A=1"]), {})),
        ("POST", "/plugins/a/enable?timeout=3", None, ("enable", ("a",), {"timeout_s": 3})),
        ("POST", "/plugins/a/enable", None, ("enable", ("a",), {"timeout_s": 0})),
        ("POST", "/plugins/a/disable?force=1", None, ("disable", ("a",), {"force": True})),
        ("DELETE", "/plugins/a", None, ("remove", ("a",), {"force": False})),
        ("POST", "/plugins/a/push", None, ("push", ("a",), {"auth": ""})),
        (
            "POST",
            "/plugins/a/upgrade?remote=a:2",
            _GRANTS,
            ("upgrade", ("a", "a:2"), {"grants": _GRANTS, "auth": ""}),
        ),
    ],
)
def test_requests_ask_the_engine(method: str, path: str, body: Any, called: tuple[str, Any, Any]) -> None:
    @scenario
    async def run(served: Served) -> None:
        served.engine.plugins.answers.update({"list": [], "inspect": {}, "privileges": []})
        answer = await served.ask(method, path, body)

        assert (answer.status in (200, 204), served.engine.calls) == (True, [(f"plugins.{called[0]}", *called[1:])])

    run()


@scenario
async def test_an_archive_makes_one(served: Served) -> None:
    async def create(name: str, chunks: AsyncIterator[bytes]) -> None:
        taken.append((name, b"".join([chunk async for chunk in chunks])))

    taken: list[tuple[str, bytes]] = []
    served.engine.plugins.answers["create"] = create
    answer = await served.ask("POST", "/plugins/create?name=a", body=b"tar")

    assert (answer.status, taken) == (204, [("a", b"tar")])


@scenario
async def test_a_pull_tells_what_the_plugin_is_called_here(served: Served) -> None:
    served.engine.plugins.answers["pull"] = [{"status": "Complete"}]
    answer = await served.ask("POST", "/plugins/pull?remote=h:5/a:1&name=b", _GRANTS)

    assert (answer.status, answer.lines) == (200, [{"status": "Complete"}])
    assert answer.headers["docker-plugin-name"] == "b:latest"
    assert served.engine.calls == [("plugins.pull", ("h:5/a:1",), {"name": "b", "grants": _GRANTS, "auth": ""})]


@scenario
async def test_a_pull_that_fails_at_once_is_answered_by_a_status(served: Served) -> None:
    served.engine.plugins.answers["pull"] = [NotFound("manifest unknown")]
    answer = await served.ask("POST", "/plugins/pull?remote=a", [])

    assert (answer.status, answer.json) == (404, {"message": "manifest unknown"})


@pytest.mark.parametrize("target", ["GET /plugins/privileges", "POST /plugins/pull", "POST /plugins/a/upgrade"])
def test_without_a_remote_there_is_nothing_to_ask_a_registry_for(target: str) -> None:
    @scenario
    async def run(served: Served) -> None:
        answer = await served.ask(*target.split(" "))

        assert (answer.status, answer.json) == (400, {"message": "invalid reference format"})

    run()
