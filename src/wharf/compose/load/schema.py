"""Checks a raw file against the Compose Specification's JSON schema, which is compiled to closures once.

Own code instead of a JSON-schema library: the schema uses a dozen keywords, a library takes longer over a file of
100 services than everything else together, and messages here are those of docker compose, with file and line.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cache

from wharf.compose.load.located import ComposeError, Map, Override, Path, Reset, dotted, mark_at

# A check returns the first thing that is wrong, as (path, message), or None.
Fault = tuple[Path, str]
Check = Callable[[object, Path], Fault | None]

_NAMES = {"object": "mapping", "array": "array", "string": "string", "number": "number", "integer": "integer",
          "boolean": "boolean", "null": "null"}  # fmt: skip
_TYPE = "must be a "
_STEP = {"image": {"type": "string"}, "per_replica": {"type": ["boolean", "string"]}}


def check_file(tree: Map, file: str) -> None:
    """Check one file's tree, as it was written but for its variables.

    Raises:
        ComposeError: it does not follow the schema.
    """
    fault = _compiled()(tree, ())
    if fault is not None:
        path, message = fault
        mark = mark_at(tree, path)
        shown = dotted(path[:-1] if message.startswith("additional properties") else path)
        raise ComposeError(f"validating {mark or file}: {shown} {message}".replace(":  ", ": "))


@cache
def _compiled() -> Check:
    # Beside this file: importlib.resources would take longer than compiling the schema does.
    with open(os.path.join(os.path.dirname(__file__), "compose-spec.json"), encoding="utf-8") as file:
        schema = json.load(file)
    # In the specification's text (05-services.md, "pre_start") and not yet in its schema.
    definitions = schema["definitions"]
    hook = definitions["service_hook"]
    step = {**hook, "properties": {**hook["properties"], **_STEP}, "required": []}
    definitions["service"]["properties"]["pre_start"] = {"type": "array", "items": step}
    return _Compiler(schema).check(schema)


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"


def _anything(_value: object, _path: Path) -> Fault | None:
    return None


class _Compiler:
    def __init__(self, root: dict[str, object]) -> None:
        self._root = root
        self._known: dict[str, Check] = {}

    def check(self, schema: object) -> Check:
        if schema is True or schema is None:
            return _anything
        assert isinstance(schema, dict)
        makers = dict.fromkeys(make for keyword, make in _KEYWORDS.items() if keyword in schema)
        checks = [make(self, schema) for make in makers]

        def run(value: object, path: Path) -> Fault | None:
            if isinstance(value, Override):
                value = value.value
            if isinstance(value, Reset):
                return None
            for check in checks:
                fault = check(value, path)
                if fault is not None:
                    return fault
            return None

        return run

    def reference(self, schema: dict[str, object]) -> Check:
        name = str(schema["$ref"])
        if name not in self._known:
            target: object = self._root
            for part in name.removeprefix("#/").split("/"):
                assert isinstance(target, dict)
                target = target[part]
            self._known[name] = _anything  # a definition may speak of itself
            self._known[name] = self.check(target)

        def run(value: object, path: Path) -> Fault | None:
            return self._known[name](value, path)

        return run

    def types(self, schema: dict[str, object]) -> Check:
        wanted = schema["type"]
        names = [str(name) for name in wanted] if isinstance(wanted, list) else [str(wanted)]
        allowed = frozenset(names) | ({"integer"} if "number" in names else frozenset())
        said = _TYPE + " or ".join(_NAMES[name] for name in names)

        def run(value: object, path: Path) -> Fault | None:
            if _type_of(value) in allowed:
                return None
            if "integer" in allowed and isinstance(value, float) and value.is_integer():
                return None
            return path, said

        return run

    def fields(self, schema: dict[str, object]) -> Check:
        known = {name: self.check(below) for name, below in _section(schema, "properties").items()}
        patterns = [
            (re.compile(pattern), self.check(below))
            for pattern, below in _section(schema, "patternProperties").items()
        ]
        more = schema.get("additionalProperties", True)
        others = None if more is False else self.check(more)

        def run(value: object, path: Path) -> Fault | None:
            if not isinstance(value, dict):
                return None
            for key, item in value.items():
                check = known.get(key)
                if check is None:
                    check = next((below for pattern, below in patterns if pattern.search(key)), others)
                if check is None:
                    return (*path, key), f"additional properties '{key}' not allowed"
                fault = check(item, (*path, key))
                if fault is not None:
                    return fault
            return None

        return run

    def required(self, schema: dict[str, object]) -> Check:
        wanted = schema["required"]
        names = [str(name) for name in wanted] if isinstance(wanted, list) else []

        def run(value: object, path: Path) -> Fault | None:
            if isinstance(value, dict):
                for name in names:
                    if name not in value:
                        return path, f"missing property '{name}'"
            return None

        return run

    def items(self, schema: dict[str, object]) -> Check:
        below = self.check(schema["items"])
        unique = bool(schema.get("uniqueItems"))

        def run(value: object, path: Path) -> Fault | None:
            if not isinstance(value, list):
                return None
            for index, item in enumerate(value):
                fault = below(item, (*path, index))
                if fault is not None:
                    return fault
                if unique and item in value[:index]:
                    return (*path, index), f"items at {value.index(item)} and {index} are equal"
            return None

        return run

    def one_of(self, schema: dict[str, object]) -> Check:
        choices = schema.get("oneOf") or schema.get("anyOf")
        assert isinstance(choices, list)
        checks = [self.check(choice) for choice in choices]

        def run(value: object, path: Path) -> Fault | None:
            faults: list[Fault] = []
            for check in checks:
                fault = check(value, path)
                if fault is None:
                    return None
                faults.append(fault)
            # The choice of the right type, or that got furthest, is the one that was meant.
            meant = [fault for fault in faults if fault[0] != path or not fault[1].startswith(_TYPE)]
            if meant:
                return max(meant, key=lambda fault: len(fault[0]))
            return path, _TYPE + " or ".join(dict.fromkeys(said.removeprefix(_TYPE) for _, said in faults))

        return run

    def values(self, schema: dict[str, object]) -> Check:
        wanted = schema["enum"]
        assert isinstance(wanted, list)
        said = "value must be one of " + ", ".join(f"'{value}'" for value in wanted)
        return lambda value, path: None if value in wanted else (path, said)

    def pattern(self, schema: dict[str, object]) -> Check:
        pattern = re.compile(str(schema["pattern"]))

        def run(value: object, path: Path) -> Fault | None:
            if isinstance(value, str) and not pattern.search(value):
                return path, f"does not match pattern '{pattern.pattern}'"
            return None

        return run

    def bounds(self, schema: dict[str, object]) -> Check:
        low, high = schema.get("minimum"), schema.get("maximum")

        def run(value: object, path: Path) -> Fault | None:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return None
            if isinstance(low, (int, float)) and value < low:
                return path, f"must be at least {low}"
            if isinstance(high, (int, float)) and value > high:
                return path, f"must be at most {high}"
            return None

        return run


def _section(schema: dict[str, object], name: str) -> dict[str, object]:
    found = schema.get(name, {})
    assert isinstance(found, dict)
    return found


_KEYWORDS: dict[str, Callable[[_Compiler, dict[str, object]], Check]] = {
    "$ref": _Compiler.reference,
    "type": _Compiler.types,
    "enum": _Compiler.values,
    "pattern": _Compiler.pattern,
    "minimum": _Compiler.bounds,
    "oneOf": _Compiler.one_of,
    "anyOf": _Compiler.one_of,
    "required": _Compiler.required,
    "properties": _Compiler.fields,
    "patternProperties": _Compiler.fields,
    "additionalProperties": _Compiler.fields,
    "items": _Compiler.items,
}
