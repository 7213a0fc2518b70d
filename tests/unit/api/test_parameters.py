"""Nothing is accepted and ignored: every parameter of every endpoint changes what the engine is asked, or is refused.

The endpoints and their parameters are the definition's (all versions of it that we have), so one that nobody has
decided upon fails here. That the engine heeds what it is given, its own tests see; ruff refuses arguments that are
not used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests import engine_api
from tests.fakes.engine import FakeEngine, Noun
from tests.fakes.http import Answer, Served, serving

from wharf.errors import WharfError

_ACCOUNT = Path(__file__).parents[2] / "data/engine_api_inputs.tsv"
_OF_A_SWARM = frozenset({"Swarm", "Node", "Service", "Task", "Secret", "Config"})
_PLATFORM = json.dumps({"os": "linux", "architecture": "arm64"})
_AUTH = base64.urlsafe_b64encode(b'{"username":"u","password":"p"}').decode()

NEEDED: Mapping[str, dict[str, str]] = {
    # what a request has to have before one more parameter can be tried
    "GET /containers/{}/logs": {"stderr": "1"},
    "GET /containers/{}/stats": {"stream": "0"},
    "GET /containers/{}/archive": {"path": "/a"},
    "HEAD /containers/{}/archive": {"path": "/a"},
    "PUT /containers/{}/archive": {"path": "/a"},
    "POST /containers/{}/resize": {"h": "1", "w": "1"},
    "POST /exec/{}/resize": {"h": "1", "w": "1"},
    "GET /images/get": {"names": "a"},
    "GET /images/search": {"term": "a"},
    "POST /images/create": {"fromImage": "a"},
    "GET /plugins/privileges": {"remote": "a"},
    "POST /plugins/pull": {"remote": "a"},
    "POST /plugins/{}/upgrade": {"remote": "a"},
}
VALUES: Mapping[str, str] = {
    "filters": '{"label": ["a"]}',
    "GET /plugins ?filters": '{"label": ["a"]}',
    "platform": _PLATFORM,
    "condition": "removed",
    "extrahosts": "a:192.0.2.1",
    "buildargs": '{"A": "1"}',
    "labels": '{"a": "1"}',
    "cachefrom": '["a"]',
    "type": "image",
    "version": "3",
    "scope": "swarm",
    "X-Registry-Auth": _AUTH,
    "X-Registry-Config": _AUTH,
    "GET /containers/{}/stats ?stream": "1",
    "POST /images/create ?fromSrc": "-",
    "POST /images/create ?platform": "linux/arm64",
    "POST /build ?platform": "linux/arm64",
    "POST /build ?remote": "https://192.0.2.1/x.tar",
    "POST /build ?outputs": "[{}]",
    "POST /images/load ?quiet": "0",
    "POST /commit ?pause": "0",
}
"""A value that means something, by endpoint and parameter, by parameter, or by type: another than the default."""
BODIES: Mapping[str, object] = {"POST /containers/create": {"Image": "a"}}
ALONE = frozenset({"POST /images/create ?fromSrc"})
"""What is said instead of what the endpoint otherwise needs."""
WITH: Mapping[str, dict[str, str]] = {
    "GET /containers/{}/logs ?stderr": {"stdout": "1"},
    "POST /images/create ?repo": {"fromSrc": "-"},
    "POST /images/create ?message": {"fromSrc": "-"},
    "POST /images/create ?changes": {"fromSrc": "-"},
}
"""What a parameter goes with, where that is something else than what the endpoint needs."""
TYPES: Mapping[str, str] = {"boolean": "1", "integer": "7", "string": "word", "array": "word"}

NOTHING: Mapping[str, str] = {
    field: why
    for field, decision, why in (line.split("\t") for line in _ACCOUNT.read_text().splitlines())
    if decision == "nothing" and re.search(r" [?^]", field)
}
"""What changes nothing, and why that is right."""
NOT_HERE = frozenset({501, 503})
"""Whole endpoints that are refused by name: their parameters are refused with them."""


@dataclass(frozen=True)
class Parameter:
    endpoint: str  # "GET /images/{}/json"
    name: str
    place: str  # "query" or "header"
    kind: str

    @property
    def key(self) -> str:
        return f"{self.endpoint} {'^' if self.place == 'header' else '?'}{self.name}"

    @property
    def value(self) -> str:
        return VALUES.get(self.key) or VALUES.get(self.name) or TYPES[self.kind]


def _parameters() -> list[Parameter]:
    found: dict[str, Parameter] = {}
    for version in ((1, 55), (1, 47), (1, 41)):
        for where, endpoint in engine_api.definition(version).endpoints.items():
            if endpoint["area"] in _OF_A_SWARM:
                continue
            for name, parameter in endpoint["parameters"].items():
                if parameter["in"] in ("query", "header"):
                    each = Parameter(where, name, parameter["in"], parameter.get("type", "string"))
                    found.setdefault(each.key, each)
    return list(found.values())


class _Declining(dict[str, Any]):
    """Canned answers of an engine that was asked, and declines everything."""

    def get(self, key: str, default: Any = None) -> Any:
        return default if key in self or default == () else WharfError(f"{key}: the test has seen enough")


async def _asked(served: Served, parameter: Parameter, query: Mapping[str, str], head: str) -> tuple[Answer, Any]:
    method, path = parameter.endpoint.split(" ")
    served.engine.calls.clear()
    target = path.replace("{}", "x") + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    async with asyncio.timeout(60):
        answer = await served.ask(method, target, BODIES.get(parameter.endpoint), fields=head)
    return answer, repr(served.engine.calls)


async def _fault(served: Served, parameter: Parameter) -> str | None:
    """Return what is wrong with a parameter; None when it is heeded, or refused by its name."""
    key = parameter.key
    base = WITH.get(key) or ({} if key in ALONE else NEEDED.get(parameter.endpoint, {}))
    plain, without = await _asked(served, parameter, base, "")
    query = {**base, parameter.name: parameter.value} if parameter.place == "query" else base
    head = f"{parameter.name}: {parameter.value}\r\n" if parameter.place == "header" else ""
    answer, calls = await _asked(served, parameter, query, head)
    if plain.status in NOT_HERE or calls != without:
        return None
    if answer.status in range(400, 600) and answer.status != plain.status:
        return None
    return f"accepted and ignored: {answer.status} {answer.body[:120]!r}"


def test_every_parameter_is_heeded_refused_or_excused() -> None:
    async def run() -> dict[str, str]:
        found: dict[str, str] = {}
        engine = FakeEngine()
        for noun in (value for value in vars(engine).values() if isinstance(value, Noun)):
            noun.answers = _Declining()
        async with serving(engine) as served:
            for parameter in _parameters():
                fault = await _fault(served, parameter)
                if fault is not None:
                    found[parameter.key] = fault
        return found

    ignored = asyncio.run(run())

    assert {key: said for key, said in ignored.items() if key not in NOTHING} == {}
    assert NOTHING.keys() - ignored.keys() == set(), "these are heeded now: they need no excuse"


@pytest.mark.parametrize("table", [VALUES, WITH, NOTHING, dict.fromkeys(ALONE)])
def test_tables_name_only_what_the_definition_has(table: Mapping[str, object]) -> None:
    known = {parameter.key for parameter in _parameters()}

    assert {key for key in table if " " in key} - known == set()
