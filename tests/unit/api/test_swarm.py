from __future__ import annotations

import asyncio

import pytest
from tests import engine_api
from tests.fakes.http import Answer, serving

from wharf.errors import NOT_A_MANAGER

_AREAS = frozenset({"Swarm", "Node", "Service", "Task", "Secret", "Config"})
NONE_HERE = "swarms are not supported by this build of wharf: this node cannot begin or join one"


def ask(method: str, target: str, body: object = None) -> Answer:
    async def run() -> Answer:
        async with asyncio.timeout(60), serving() as served:
            return await served.ask(method, target, body)

    return asyncio.run(run())


def _well_asked() -> list[tuple[str, str, object]]:
    """Each endpoint of a swarm's areas, of all versions of the definition, asked as a manager would be."""
    found = {}
    for version in ((1, 55), (1, 47), (1, 41)):
        for where, endpoint in engine_api.definition(version).endpoints.items():
            if endpoint["area"] in _AREAS:
                method, path = where.split(" ")
                body = {} if method == "POST" and path != "/swarm/leave" else None
                found[where] = (method, path.replace("{}", "an-id") + "?version=1&stdout=1", body)
    return list(found.values())


@pytest.mark.parametrize(("method", "target", "body"), _well_asked())
def test_every_endpoint_of_a_swarm_misses_it_in_dockers_words(method: str, target: str, body: object) -> None:
    answer = ask(method, target, body)

    words = {"/swarm/leave": "This node is not part of a swarm", "/swarm/init": NONE_HERE, "/swarm/join": NONE_HERE}
    assert answer.status == 503
    assert answer.json == {"message": words.get(target.partition("?")[0], NOT_A_MANAGER)}


@pytest.mark.parametrize(
    ("method", "target", "body", "message"),
    [
        ("POST", "/swarm/init", None, "invalid JSON: got EOF while reading request body"),
        ("POST", "/swarm/join", [], "invalid JSON: Expected `object`, got `array`"),
        ("POST", "/services/create", None, "invalid JSON: got EOF while reading request body"),
        (
            "POST",
            "/nodes/x/update?version=abc",
            {},
            "invalid node version 'abc': strconv.ParseUint: parsing \"abc\": invalid syntax",
        ),
        (
            "POST",
            "/swarm/update",
            {},
            "invalid swarm version '': strconv.ParseUint: parsing \"\": invalid syntax",
        ),
        ("POST", "/secrets/x/update?version=99999999999999999999999", {}, "invalid secret version"),
        ("POST", "/configs/x/update?version=-1", {}, "invalid config version"),
        ("GET", "/services?filters={", None, "invalid filter: Input data was truncated"),
        ("GET", "/tasks/x/logs", None, "Bad parameters: you must choose at least one stream"),
    ],
)
def test_a_request_that_no_manager_would_take_is_refused_as_such(
    method: str, target: str, body: object, message: str
) -> None:
    answer = ask(method, target, body)

    assert (answer.status, answer.json) == (400, {"message": message})


def test_only_volumes_of_a_cluster_can_be_updated_and_there_are_none() -> None:
    answer = ask("PUT", "/volumes/v?version=1", {})

    assert answer.status == 503
    assert answer.json == {"message": "volume update only valid for cluster volumes, but swarm is unavailable"}
