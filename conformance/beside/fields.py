"""Every field of a container's configuration, one at a time: what is made of values that are odd, and of none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from conformance.beside.steps import Sequence, create, inspect, remove

_TABLE: Final = Path(__file__).parents[2] / "tests/data/engine_api.json"
_VALUES: Final = Path(__file__).with_name("field_values.json")
"""Values by what the definition says a field is, and those that mean something for a certain field."""


def sequences() -> Iterator[Sequence]:
    """Yield for every field and value: create, look, take away."""
    values_of = json.loads(_VALUES.read_text())
    for name, kind, place in _fields():
        values: list[object] = []
        for value in [*values_of["by field"].get(name, []), *values_of["by type"][kind]]:
            if not any(value == one and type(value) is type(one) for one in values):
                values.append(value)
        for value in values:
            body: dict[str, Any] = {"HostConfig": {name: value}} if place == "host" else {name: value}
            word = json.dumps(value)
            word = word if len(word) < 100 else f"{word[:100]}…"
            yield Sequence(f"{place}.{name}={word}", (create(**body), inspect(), remove()))


def _fields() -> Iterator[tuple[str, str, str]]:
    definitions = json.loads(_TABLE.read_text())["definitions"]
    for definition, place in (("ContainerConfig", "config"), ("HostConfig", "host")):
        for name, schema in _properties(definitions, definition).items():
            yield name, schema.get("type", "object"), place
    yield "MacAddress", "string", "config"


def _properties(definitions: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in definitions[name].get("allOf", [definitions[name]]):
        if "$ref" in part:
            found |= _properties(definitions, part["$ref"].rpartition("/")[2])
        found |= part.get("properties", {})
    return found
