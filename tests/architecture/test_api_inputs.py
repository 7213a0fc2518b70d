"""Nothing is accepted and ignored: each field that a request may have is decided upon.

``data/engine_api_inputs.tsv`` has every field of the bodies that the API's definitions know, by the document that
it stands in: it ``acts`` or is ``refused``, as the test that is named sees, or changes ``nothing``, for the reason
that is given. A field that a new definition brings fails here until somebody has decided. Parameters are swept by
``unit/api/test_parameters.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import engine_api

from wharf.api.server import routes

_TOP = Path(__file__).parents[2]
_TABLE = _TOP / "tests/data/engine_api_inputs.tsv"
_OF_A_SWARM = frozenset({"Swarm", "Node", "Service", "Task", "Secret", "Config"})
_VERSIONS = ((1, 55), (1, 47), (1, 41))


def _decisions() -> dict[str, tuple[str, str]]:
    rows = (line.split("\t") for line in _TABLE.read_text().splitlines()[1:])
    return {field: (decision, where) for field, decision, where in rows if not re.search(r" [?^]", field)}


def _refused_endpoints() -> set[str]:
    """Endpoints that are refused by name: with them, whatever their bodies hold."""
    refused = (route for route in routes() if route.answer.__module__.endswith((".swarm", ".unsupported")))
    return {f"{route.method} {re.sub(r'{[^}]*}', '{}', route.path)}" for route in refused}


def _fields(
    judge: engine_api.Definition, schema: Any, place: str, seen: frozenset[str], closed: frozenset[str]
) -> Iterator[str]:
    """Yield a schema's fields, each by the definition it stands in; those in ``closed`` are not opened."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _fields(judge, judge.schemas[name], name, seen | {name}, closed)
        return
    for part in schema.get("allOf", ()):
        yield from _fields(judge, part, place, seen, closed)
    for name, inner in schema.get("properties", {}).items():
        yield f"{place}.{name}"
        if f"{place}.{name}" not in closed:
            yield from _fields(judge, inner, f"{place}.{name}", seen, closed)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        yield from _fields(judge, inner, place, seen, closed)


def _known() -> set[str]:
    closed = frozenset(field for field, (decision, _) in _decisions().items() if decision == "refused")
    refused, found = _refused_endpoints(), set[str]()
    for version in _VERSIONS:
        judge = engine_api.definition(version)
        for where, endpoint in judge.endpoints.items():
            if endpoint["area"] in _OF_A_SWARM or where in refused or endpoint["area"] == "Plugin":
                continue
            for parameter in endpoint["parameters"].values():
                found |= set(_fields(judge, parameter.get("schema"), where, frozenset(), closed))
    return found


def test_every_field_of_a_request_is_decided_upon() -> None:
    known, decided = _known(), _decisions().keys()

    assert sorted(known - decided) == [], "decide upon these, and say so in data/engine_api_inputs.tsv"
    assert sorted(decided - known) == [], "no definition has these"


def test_each_decision_names_a_test_that_speaks_of_the_field_or_a_reason() -> None:
    wrong = {}
    for field, (decision, where) in _decisions().items():
        if decision == "nothing":
            if len(where.split()) < 5:
                wrong[field] = f"no reason: {where}"
            continue
        test = _TOP / where
        word = re.compile(rf"\b{re.escape(field.rpartition('.')[2])}\b")
        if decision not in ("acts", "refused") or not test.is_file() or not word.search(test.read_text()):
            wrong[field] = f"{decision}: {where}"

    assert wrong == {}
