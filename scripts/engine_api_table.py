"""Reads the Engine API's definition (swagger, YAML) and prints what the tests need of it, as JSON.

    python3 scripts/engine_api_table.py v1.55.yaml > tests/data/engine_api.json

Endpoints with their parameters, bodies and answers, and the schemas, without the prose. Needs PyYAML (Debian's
python3-yaml), and is run by hand when the project takes up a new version of the API.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

_KEPT = ("type", "format", "enum", "required", "$ref", "x-nullable", "minimum", "maximum", "pattern")


def schema(node: Any) -> Any:
    """Return a schema's constraints, without titles, descriptions and examples."""
    if not isinstance(node, dict):
        return node
    kept = {name: node[name] for name in _KEPT if name in node}
    for name in ("items", "additionalProperties"):
        if name in node:
            kept[name] = schema(node[name])
    if "properties" in node:
        kept["properties"] = {name: schema(value) for name, value in node["properties"].items()}
    if "allOf" in node:
        kept["allOf"] = [schema(part) for part in node["allOf"]]
    return kept


def _parameter(node: dict[str, Any]) -> dict[str, Any]:
    kept = {"in": node["in"], "required": node.get("required", False)}
    for name in ("type", "format", "enum", "collectionFormat", "items"):
        if name in node:
            kept[name] = schema(node[name]) if name == "items" else node[name]
    if "schema" in node:
        kept["schema"] = schema(node["schema"])
    return kept


def _endpoint(method: str, path: str, node: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": method.upper(),
        "path": path,
        "area": node["tags"][0],
        "produces": node.get("produces", ["application/json"]),
        "parameters": {each["name"]: _parameter(each) for each in node.get("parameters", ())},
        "responses": {
            str(code): schema(answer["schema"]) if "schema" in answer else None
            for code, answer in node["responses"].items()
        },
    }


def main() -> None:
    document = yaml.load(Path(sys.argv[1]).read_text(), Loader=yaml.CSafeLoader)
    endpoints = [
        _endpoint(method, path, node)
        for path, methods in document["paths"].items()
        for method, node in methods.items()
    ]
    definitions = {name: schema(node) for name, node in sorted(document["definitions"].items())}
    lines = [f'"version": {json.dumps(document["info"]["version"])}']
    rows = ",\n".join(json.dumps(each) for each in endpoints)
    lines.append(f'"endpoints": [\n{rows}\n]')
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(node)}" for name, node in definitions.items())
    lines.append(f'"definitions": {{\n{rows}\n}}')
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
