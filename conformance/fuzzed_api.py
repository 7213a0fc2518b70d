"""schemathesis on the served API: requests made from the API's definition, most of them nonsense.

Each operation of the definition's is asked with what :mod:`conformance.fuzzed_api_judge`, run by an interpreter that
has schemathesis, thinks of: of objects that are there, and of names at random. An operation passes when nothing that
it answers is an engine's own fault, or of another shape than the definition's. Swarm's nouns are left out, and what
has no end or takes the connection over: the contract and the hostile clients are for those.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import sides
from bench.raw_http import Connection

from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_TABLE = _TOP / "tests/data/engine_api.json"
_BUILD = _TOP / "build/schemathesis"
_RELEASE = "schemathesis==4.32.5"
_ADDRESS = "127.0.0.1:2375"  # in the side's own network namespace
_OF_A_SWARM = frozenset({"Swarm", "Node", "Service", "Task", "Secret", "Config"})
_LEFT_OUT = frozenset({
    "GET /events", "POST /session", "POST /containers/{id}/attach", "GET /containers/{id}/attach/ws",
    "POST /containers/{id}/wait", "GET /containers/{id}/stats", "POST /exec/{id}/start",
    # They ask Docker Hub, which is not here.
    "POST /auth", "GET /images/search", "GET /distribution/{name}/json", "POST /images/{name}/push",
})  # fmt: skip
_ALL_S = 1200


def swagger(table: dict[str, Any]) -> dict[str, Any]:
    """Return the definition of what is asked, as OpenAPI 2.0. Pure."""
    paths: dict[str, Any] = {}
    for endpoint in table["endpoints"]:
        if endpoint["area"] in _OF_A_SWARM or f"{endpoint['method']} {endpoint['path']}" in _LEFT_OUT:
            continue
        operation = {
            "parameters": [_parameter(name, given) for name, given in endpoint["parameters"].items()],
            "responses": {
                code: {"description": "", **({"schema": schema} if schema else {})}
                for code, schema in endpoint["responses"].items()
            },
            "consumes": ["application/json"],
            "produces": endpoint.get("produces", []),
        }
        paths.setdefault(endpoint["path"], {})[endpoint["method"].lower()] = operation
    version = table["version"]
    info = {"title": "Engine API", "version": version}
    definitions = table["definitions"]
    return {"swagger": "2.0", "info": info, "basePath": f"/v{version}", "paths": paths, "definitions": definitions}


def _parameter(name: str, given: dict[str, Any]) -> dict[str, Any]:
    made = {"name": name, **given}
    if made["in"] == "path":
        made["required"] = True
    if made["in"] == "body":
        made.setdefault("schema", {"type": "object"})
    return made


def operations() -> list[str]:
    """Return the operations that are asked."""
    paths = swagger(json.loads(_TABLE.read_text()))["paths"]
    return sorted(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)


def run(scratch: Path) -> Outcome:
    """Ask every operation; ``build/schemathesis/faults.json`` has what was wrong."""
    python = _environment()
    engine = sides.wharf(_TOP / ".venv/bin", scratch)
    engine = replace(engine, command=(*engine.command, "--host", f"tcp://{_ADDRESS}", "--insecure-tcp"))
    document, report = _BUILD / "definition.json", _BUILD / "faults.json"
    document.write_text(json.dumps(swagger(json.loads(_TABLE.read_text()))))
    report.unlink(missing_ok=True)
    with sides.running(engine, scratch, "docker", {"busybox:latest": busybox.layer()}) as side:
        command = (
            "nsenter", "--target", str(side.pid), "--net", "--mount", f"--wd={_TOP}", str(python), "-m",
            "conformance.fuzzed_api_judge", str(document), f"http://{_ADDRESS}", str(report),
        )  # fmt: skip
        done = subprocess.run(command, timeout=_ALL_S, check=False)
        _clear(side)
    if done.returncode:
        raise sides.SideFailed(f"schemathesis did not get through: exit code {done.returncode}")
    faults: dict[str, list[str]] = json.loads(report.read_text())
    wrong = tuple(f"{operation}: {fault}" for operation, found in sorted(faults.items()) for fault in found)
    failed = sum(1 for found in faults.values() if found)
    return Outcome(len(faults) - failed, failed, 0, wrong)


def _environment() -> Path:
    """Return the interpreter of a virtual environment with schemathesis; made if need be."""
    folder = _BUILD / "venv"
    if not (stamp := folder / "complete").exists():
        _BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run((sys.executable, "-m", "venv", "--clear", folder), check=True)
        subprocess.run((folder / "bin/pip", "install", "--quiet", _RELEASE), check=True)
        stamp.touch()
    return folder / "bin/python"


def _clear(side: sides.Side) -> None:
    with Connection(side.socket) as connection:
        for container in connection.json("GET", "/containers/json?all=1"):
            connection.request("DELETE", f"/containers/{container['Id']}?force=1&v=1")


SUITE = Suite("schemathesis", len(operations()), run)
