"""Writes docs/api-coverage.md: each endpoint, parameter and field of the Engine API, done or not.

    .venv/bin/python scripts/api_coverage.py            write the page
    .venv/bin/python scripts/api_coverage.py --print    print it

The endpoints are those of the route table. What a request may say is decided upon, each parameter and field
(``tests/data/engine_api_inputs.tsv``): it acts, as a test sees that is named there, is refused by name, or changes
nothing, for a reason that is given there. Parameters that are not in that table act: ``unit/api/test_parameters.py``
tries all of them. What no answer of ours can have is listed with the reason (``tests/data/engine_api_absent.tsv``).
A field of an answer is done when the conversation of the contract had it of a daemon that runs
(``tests/root/api/contract.py``): that writes down what it saw (``tests/data/engine_api_seen.txt``), and fails when it
does not see that again. What the code of its area names and the conversation has not come to is told apart: it can
flatter.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType
from typing import Any

from wharf.api.routes import Route
from wharf.api.server import routes
from wharf.engine.containers.rename import UPDATABLE

TOP = Path(__file__).resolve().parent.parent
SOURCE = TOP / "src/wharf"
PAGE = TOP / "docs/api-coverage.md"
TABLE = TOP / "tests/data/engine_api.json"
INPUTS = TOP / "tests/data/engine_api_inputs.tsv"
SEEN = TOP / "tests/data/engine_api_seen.txt"
ABSENT = TOP / "tests/data/engine_api_absent.tsv"

_SCOPES = {
    "Container": ("api", "engine", "network", "volumes", "processes", "shim"),
    "Exec": ("api", "engine"),
    "Image": ("api", "engine", "images", "registry", "build"),
    "Network": ("api", "engine", "network"),
    "Volume": ("api", "engine", "volumes"),
    "System": ("api", "engine"),
    "Distribution": ("api", "engine", "images", "registry"),
}
_EVERYWHERE = ("api", "engine", "images", "network", "volumes", "processes", "build", "registry")
_UPDATE = "POST /containers/{}/update"
_ECHOED = ("Config", "HostConfig")
"""Documents that an answer gives back as they were recorded: their fields stand with the request."""
_DOTTED = ("os.version", "os.features")
"""Names of fields with a dot in them."""


@dataclass(frozen=True, slots=True)
class Names:
    """What is asked for, by whether our code knows it."""

    done: tuple[str, ...]
    unseen: tuple[str, ...]
    refused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()  # change nothing, for a reason
    absent: tuple[tuple[str, str], ...] = ()  # with the reason

    def line(self, title: str) -> str:
        """Return a line of the page; empty when there is nothing to name."""
        parts = [", ".join(f"`{name}`" for name in self.done)] if self.done else []
        if self.unseen:
            parts.append("named, not seen: " + ", ".join(f"`{name}`" for name in self.unseen))
        if self.refused:
            parts.append("refused by name: " + ", ".join(f"`{name}`" for name in self.refused))
        if self.idle:
            parts.append("changes nothing here: " + ", ".join(f"`{name}`" for name in self.idle))
        if self.absent:
            parts.append("does not apply: " + ", ".join(f"`{name}` ({why})" for name, why in self.absent))
        if self.missing:
            parts.append("**not done**: " + ", ".join(f"`{name}`" for name in self.missing))
        return f"- {title}: {'; '.join(parts)}\n" if parts else ""


def _sort(names: Iterable[str], known: Iterable[str], seen: Iterable[str]) -> Names:
    """Sort an answer's fields; what is inside one that is not done is not named, for it is not done either."""
    named, met = set(known), set(seen)
    sorted_: dict[str, list[str]] = {"done": [], "unseen": [], "missing": []}
    absent: list[tuple[str, str]] = []
    for name in dict.fromkeys(names):
        outer, last = _split(name)
        if outer and outer not in (*sorted_["done"], *sorted_["unseen"]):
            continue
        if name not in met and (why := _why_absent(name)):
            absent.append((name, why))
        else:
            sorted_["done" if name in met else "unseen" if last in named else "missing"].append(name)
    return Names(
        tuple(sorted_["done"]), tuple(sorted_["unseen"]), missing=tuple(sorted_["missing"]), absent=tuple(absent)
    )


def _split(name: str) -> tuple[str, str]:
    """Return where a field stands, and its own name."""
    dotted = next((each for each in _DOTTED if f".{name}".endswith(f".{each}")), None)
    last = dotted or name.rpartition(".")[2]
    return name[: -len(last) - 1], last


def _why_absent(name: str) -> str:
    """Return why no answer has a field; empty when nothing says so."""
    rows = (line.split("\t") for line in ABSENT.read_text().splitlines()[1:])
    return next((why for field, why in rows if f".{name}".endswith(f".{field}")), "")


@functools.cache
def _seen(endpoint: str, mark: str) -> frozenset[str]:
    """Return what the conversation saw of an endpoint's answer (``> ``)."""
    begin = f"{endpoint} {mark}"
    lines = (line for line in SEEN.read_text().splitlines() if line.startswith(begin))
    found = (line.removeprefix(begin) for line in lines)
    return frozenset(name for name in found if mark or name[0] not in "?>")


def _texts(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


@functools.cache
def _texts_of(package: str) -> frozenset[str]:
    """Every text, and every name of a class's field, in a package's code."""
    found: set[str] = set()
    for path in (SOURCE / package).rglob("*.py"):
        found |= _texts(ast.parse(path.read_text()))
    return frozenset(found)


@functools.cache
def _decisions() -> dict[str, str]:
    """What was decided of fields of requests, by the document they stand in, and of parameters."""
    rows = (line.split("\t") for line in INPUTS.read_text().splitlines()[1:])
    return {field: decision for field, decision, _ in rows}


def _decided(names: Iterable[tuple[str, str]]) -> Names:
    """Sort (name, key of its decision); one without a decision acts."""
    sorted_: dict[str, list[str]] = {"acts": [], "refused": [], "nothing": []}
    for name, key in dict(names).items():
        sorted_[_decisions().get(key, "acts")].append(name)
    return Names(tuple(sorted_["acts"]), (), tuple(sorted_["refused"]), (), tuple(sorted_["nothing"]))


def _calls(function: FunctionType, seen: set[FunctionType]) -> Iterator[ast.AST]:
    """Yield the code of a handler and of the functions of its package that it names, however far down."""
    if function in seen:
        return
    seen.add(function)
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used = function.__globals__.get(node.id)
            if isinstance(used, FunctionType) and used.__module__.startswith("wharf.api."):
                yield from _calls(used, seen)


def _parameters(route: Route, endpoint: dict[str, Any]) -> Names:
    """Sort an endpoint's parameters of the query and the head."""
    refused: set[str] = set()
    assert isinstance(route.answer, FunctionType)
    for tree in _calls(inspect.unwrap(route.answer), set()):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("_refuse"):
                refused |= {text for argument in node.args for text in _texts(argument)}
    where = _shape(f"{endpoint['method']} {endpoint['path']}")
    marks = {"query": "?", "header": "^"}
    given = [
        (name, f"{where} {marks[of['in']]}{name}") for name, of in endpoint["parameters"].items() if of["in"] in marks
    ]
    found = _decided((name, key) for name, key in given if name not in refused)
    return replace(found, refused=tuple(name for name, _ in given if name in refused))


def _fields(schema: Any, definitions: dict[str, Any], seen: tuple[str, ...] = (), prefix: str = "") -> Iterator[str]:
    """Yield the paths of a schema's fields; a schema inside itself is not opened again."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _fields(definitions[name], definitions, (*seen, name), prefix)
        return
    for part in schema.get("allOf", ()):
        yield from _fields(part, definitions, seen, prefix)
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name
        if not (name in _ECHOED and "answer" in seen):
            yield from _fields(inner, definitions, seen, f"{prefix}{name}.")
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        yield from _fields(inner, definitions, seen, prefix)


def _request(
    schema: Any, definitions: dict[str, Any], place: str, prefix: str = "", seen: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the paths of a body's fields, each with the key of its decision; what is refused is not opened."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _request(definitions[name], definitions, name, prefix, (*seen, name))
        return
    for part in schema.get("allOf", ()):
        yield from _request(part, definitions, place, prefix, seen)
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name, f"{place}.{name}"
        if _decisions().get(f"{place}.{name}") != "refused":
            yield from _request(inner, definitions, f"{place}.{name}", f"{prefix}{name}.", seen)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        yield from _request(inner, definitions, place, prefix, seen)


def _body(endpoint: dict[str, Any], definitions: dict[str, Any]) -> Names:
    """Sort the fields of an endpoint's body."""
    where = _shape(f"{endpoint['method']} {endpoint['path']}")
    schemas = [each["schema"] for each in endpoint["parameters"].values() if "schema" in each]
    names = [pair for schema in schemas for pair in _request(schema, definitions, where)]
    if where != _UPDATE:
        return _decided(names)
    fixed = [name for name, _ in names if name.partition(".")[0] not in UPDATABLE]
    found = _decided(pair for pair in names if pair[0] not in fixed)
    return replace(found, refused=(*found.refused, *(name for name in fixed if "." not in name)))


def _answer(endpoint: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    schemas = [schema for code, schema in endpoint["responses"].items() if code.startswith("2") or code == "101"]
    return [name for schema in schemas for name in _fields(schema, definitions, ("answer",))]


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _state(route: Route | None) -> str:
    if route is None:
        return "not known"
    if route.answer.__module__.endswith(".swarm"):
        return "answers 503, as a node that is in no swarm does"
    return "refused by name" if route.answer.__module__.endswith(".unsupported") else "done"


def _section(endpoint: dict[str, Any], route: Route | None, definitions: dict[str, Any]) -> tuple[str, str]:
    area = endpoint["area"]
    state = _state(route)
    text = f"### {endpoint['method']} {endpoint['path']}: {state}\n\n"
    if state == "done" and route is not None:
        where = f"{endpoint['method']} {endpoint['path']}"
        known = set[str]().union(*(_texts_of(package) for package in _SCOPES.get(area, _EVERYWHERE)))
        lines = (
            _parameters(route, endpoint).line("parameters")
            + _body(endpoint, definitions).line("request")
            + _sort(_answer(endpoint, definitions), known, _seen(where, "> ")).line("answer")
        )
        text += lines + "\n" if lines else ""
    return state, text


def page() -> str:
    """Return the page."""
    document = json.loads(TABLE.read_text())
    table = {(route.method, _shape(route.path)): route for route in reversed(list(routes()))}
    sections: dict[str, list[str]] = {}
    counts: dict[str, list[str]] = {}
    for endpoint in document["endpoints"]:
        route = table.get((endpoint["method"], _shape(endpoint["path"])))
        state, text = _section(endpoint, route, document["definitions"])
        sections.setdefault(endpoint["area"], []).append(text)
        counts.setdefault(endpoint["area"], []).append(state)
    out = (
        "# The Engine API: what is done\n\n"
        "Made by `make api-coverage` from the route table, the code and "
        f"the API's definition {document['version']}.\n"
        "What a request may say is decided upon in `tests/data/engine_api_inputs.tsv`, with the test that sees\n"
        "it, or the reason. A field of an answer is done when the contract's conversation with a daemon saw it\n"
        "(`tests/root/api`); what only the code names is told apart.\n\n"
        "| area | endpoints | done |\n|---|---|---|\n"
    )
    for area, states in counts.items():
        out += f"| {area} | {len(states)} | {states.count('done')} |\n"
    for area, texts in sections.items():
        out += f"\n## {area}\n\n" + "".join(texts).rstrip("\n") + "\n"
    return out


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        sys.stdout.write(page())
    else:
        PAGE.write_text(page())
