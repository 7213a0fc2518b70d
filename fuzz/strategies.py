"""Values that fit a JSON schema, and some that do not (draft 4, as much as the specification uses of it)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

_SCHEMA = Path(__file__).with_name("schema")
_MOST_ITEMS = 3
_DEEPEST = 4

_WORDS = [
    "", "/", "/x", "/bin/true", "/bin/false", "/proc", "/proc/self/ns/net", "/dev/null", "..", "../..", "a",
    "0", "0-1", "true", "tmpfs", "proc", "bind", "rbind", "ro", "rro", "size=1k", "shared", "idmap",
    "remount", "tmpcopyup", "é", "x" * 300, "\ud800",
]  # fmt: skip
_JUNK = [None, True, 0, -1, 1 << 70, 1.5, "", "x", [], [None], ["x"], {}, {"x": 1}]


class Schema:
    """The specification's schema of config.json."""

    def __init__(self) -> None:
        self._files = {path.name: json.loads(path.read_text()) for path in _SCHEMA.glob("*.json")}

    @property
    def top(self) -> dict[str, Any]:
        """The schema of the whole document, without the platforms that are not ours."""
        top = self._files["config-schema.json"]
        linux = self._files["config-linux.json"]["linux"]
        others = {"freebsd", "solaris", "windows", "vm", "zos"}
        properties = {name: value for name, value in top["properties"].items() if name not in others}
        return {**top, "properties": {**properties, "linux": linux}}

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow references; of alternatives the first that is an object, of parts all."""
        while "$ref" in schema:
            schema = self._find(schema["$ref"])
        for part in schema.get("allOf", ()):
            inner = self.resolved(part)
            properties = {**schema.get("properties", {}), **inner.get("properties", {})}
            schema = {**inner, **schema, "properties": properties}
        return schema

    def _find(self, reference: str) -> dict[str, Any]:
        file, _, pointer = reference.partition("#")
        found: Any = self._files[file] if file else None
        if found is None:  # inside one of the files of definitions
            found = next(f for f in self._files.values() if _at(f, pointer) is not None)
        return dict(_at(found, pointer))

    def paths(self, schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Yield every property of objects in objects: (path, its schema)."""
        schema = self.resolved(schema)
        for name, inner in schema.get("properties", {}).items():
            yield (*path, name), inner
            if len(path) < _DEEPEST:
                yield from self.paths(inner, (*path, name))

    def fitting(self, schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
        """Return values that fit the schema."""
        schema = self.resolved(schema)
        if "anyOf" in schema:
            return st.one_of([self.fitting(part, depth) for part in schema["anyOf"]])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        found: st.SearchStrategy[Any] = _SIMPLE.get(schema.get("type", ""), _compound)(self, schema, depth)
        return found


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/") if pointer.strip("/") else ():
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _compound(schema: Schema, of: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if depth > _DEEPEST:
        return st.just(None)
    if of.get("type") == "array":
        return st.lists(schema.fitting(of.get("items", {}), depth + 1), max_size=_MOST_ITEMS)
    every = of.get("additionalProperties") or next(iter(of.get("patternProperties", {}).values()), None)
    if isinstance(every, dict) and not of.get("properties"):
        return st.dictionaries(_texts(), schema.fitting(every, depth + 1), max_size=_MOST_ITEMS)
    inner = {name: schema.fitting(value, depth + 1) for name, value in of.get("properties", {}).items()}
    required = {name: value for name, value in inner.items() if name in of.get("required", ())}
    return st.fixed_dictionaries(required, optional={k: v for k, v in inner.items() if k not in required})


def _texts() -> st.SearchStrategy[str]:
    return st.sampled_from(_WORDS) | st.text("ab/.:=-\n\0 ", max_size=6)


def _numbers(_schema: Schema, of: dict[str, Any], _depth: int) -> st.SearchStrategy[int]:
    low, high = of.get("minimum", -(1 << 63)), of.get("maximum", (1 << 64) - 1)
    return st.integers(max(low, 0), min(high, 2048)) | st.integers(low, high)


_SIMPLE: dict[str, Any] = {
    "string": lambda *_: _texts(),
    "boolean": lambda *_: st.booleans(),
    "integer": _numbers,
    "number": _numbers,
}


def junk() -> st.SearchStrategy[Any]:
    """Return values that fit hardly anything."""
    return st.sampled_from(_JUNK)
