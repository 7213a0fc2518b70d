"""The Engine API's definition as a judge: what is wrong with an answer, and which fields it has.

``data/engine_api*.json`` are the definitions of some versions, without prose (``scripts/engine_api_table.py``). An
answer of a version between two is held to the nearest older one, with what the next one adds allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"
SEEN = _DATA / "engine_api_seen.txt"
"""What a conversation with the daemon saw: endpoints, ``?parameters``, fields of requests and of answers."""
_FILES = {(1, 41): "engine_api_1.41.json", (1, 47): "engine_api_1.47.json", (1, 55): "engine_api.json"}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
Schema = dict[str, Any]


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@dataclass(frozen=True)
class Definition:
    """One version of the API."""

    version: tuple[int, int]
    endpoints: Mapping[str, Schema]  # by method and path, with {} for parameters
    schemas: Mapping[str, Schema]
    later: Definition | None = field(default=None, compare=False)  # whose fields an answer may have already

    def endpoint(self, method: str, path: str) -> Schema | None:
        return self.endpoints.get(f"{method} {_shape(path)}")

    def answer(self, method: str, path: str, status: int) -> tuple[bool, Schema | None]:
        """Return whether the endpoint may answer so, and with what; HEAD is like GET without a body."""
        endpoint = self.endpoint(method, path)
        responses = endpoint["responses"] if endpoint else {}
        return str(status) in responses, responses.get(str(status))

    def faults(self, method: str, path: str, status: int, document: object) -> list[str]:
        """Return what is wrong with an answer, each fault with the place of it."""
        if self.endpoint(method, path) is None:
            return [] if self.later and self.later.endpoint(method, path) else ["no such endpoint"]
        known, schema = self.answer(method, path, status)
        if not known:
            later = self.later.answer(method, path, status)[0] if self.later else False
            return [] if later else [f"status {status} is not among its answers"]
        if schema is None:
            return []
        allowed = self.later.answer(method, path, status)[1] if self.later else None
        return sorted(set(self._faults(schema, document, "", allowed)))

    def resolved(self, schema: Schema) -> Schema:
        """Return a schema without references at its top, its parts merged."""
        if "$ref" in schema:
            return self.resolved(self.schemas[schema["$ref"].rpartition("/")[2]])
        if "allOf" not in schema:
            return schema
        whole: Schema = {"properties": {}, "required": []}
        for part in (schema, *schema["allOf"]):
            own = self.resolved(part) if part is not schema else part
            whole |= {
                name: own[name] for name in ("type", "enum", "x-nullable", "additionalProperties") if name in own
            }
            whole["properties"] |= own.get("properties", {})
            whole["required"] = [*whole["required"], *own.get("required", ())]
        return whole

    def _faults(self, schema: Schema, value: object, place: str, allowed: Schema | None) -> Iterator[str]:
        own = self.resolved(schema)
        later = self.later.resolved(allowed) if self.later and allowed else {}
        if value is None:
            if own.get("x-nullable") is not True and own.get("type") in ("boolean", "integer", "number"):
                yield f"{place}: null"
            return
        kind = own.get("type", "object" if "properties" in own else "")
        if kind and (not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{place}: {type(value).__name__} is no {kind}"
            return
        if value != "" and (choices := own.get("enum")) and value not in (*choices, *later.get("enum", ())):
            yield f"{place}: {value} is not among {choices}"
        if isinstance(value, list) and "items" in own:
            for item in value:
                yield from self._faults(own["items"], item, f"{place}[]", later.get("items"))
        if isinstance(value, dict):
            yield from self._of_object(own, value, place, later)

    def _of_object(self, own: Schema, value: dict[str, object], place: str, later: Schema) -> Iterator[str]:
        properties, more = own.get("properties", {}), own.get("additionalProperties")
        new = later.get("properties", {})
        for name in own.get("required", ()):
            if name not in value:
                yield f"{place}.{name}: missing"
        for name, item in value.items():
            if name in properties:
                yield from self._faults(properties[name], item, f"{place}.{name}", new.get(name))
            elif isinstance(more, dict) and more:
                yield from self._faults(more, item, f"{place}.*", later.get("additionalProperties"))
            elif properties and more is None and name not in new:
                yield f"{place}.{name}: unknown"

    def fields(self, schema: Schema, value: object, place: str = "") -> Iterator[str]:
        """Yield the places of the schema's fields that a document has."""
        own = self.resolved(schema)
        if isinstance(value, list):
            for item in value:
                yield from self.fields(own.get("items", {}), item, place)
        elif isinstance(value, dict):
            properties, more = own.get("properties", {}), own.get("additionalProperties")
            for name, item in value.items():
                if name in properties:
                    inner = f"{place}.{name}" if place else name
                    yield inner
                    yield from self.fields(properties[name], item, inner)
                elif isinstance(more, dict):
                    yield from self.fields(more, item, place)


@cache
def definition(version: tuple[int, int]) -> Definition:
    """Return the definition that answers of ``version`` are held to."""
    known = sorted(_FILES)
    nearest = max((each for each in known if each <= version), default=known[0])
    found = _load(nearest)
    following = [each for each in known if each > nearest]
    later = definition(following[0]) if following and version > nearest else None
    return Definition(found.version, found.endpoints, found.schemas, later)


@cache
def _load(version: tuple[int, int]) -> Definition:
    document = json.loads((_DATA / _FILES[version]).read_text())
    endpoints = {f"{each['method']} {_shape(each['path'])}": each for each in document["endpoints"]}
    return Definition(version, endpoints, document["definitions"])
