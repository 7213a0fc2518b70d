"""Asks each operation of a definition with what schemathesis makes of it, and judges the answers.

``python -m conformance.fuzzed_api_judge DEFINITION URL REPORT``, by an interpreter that has schemathesis. The same
requests are made each time. Half of them are about objects that are there, which are made anew for each operation.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from tests import engine_api

_EXAMPLES = 25
_TIMEOUT_S = 20
_NAME = "fuzzed"
_NOT_HERE = (501, 503)  # refused by name; and what needs a swarm, or a registry that is not there
_AS_DOCKERD_SAYS = frozenset({
    ".HostConfig.MemorySwappiness: null", ".ExitCode: null",  # what nobody has set, and what has not ended
    ".LogUsage: unknown",  # ours
    "[].Manifests[].ImageData.UnpackedSize: missing",  # required of a document that has no such field
})  # fmt: skip
_WAITS = ("/containers/{id}/stop", "/containers/{id}/restart")  # as long as they are told to
_LONGEST = 300  # characters of an answer that are told


class Api:
    """The engine at a URL, with objects to ask about."""

    def __init__(self, url: str) -> None:
        self._url = url

    def stock(self) -> dict[str, str]:
        """Make what operations are about, as far as it is not there; return it by the first word of their paths."""
        made = {"Image": "busybox", "Cmd": ["sleep", "600"], "Tty": True, "HostConfig": {"NetworkMode": "none"}}
        self._post(f"/containers/create?name={_NAME}", made)
        self._post(f"/containers/{_NAME}/unpause", None)
        self._post(f"/containers/{_NAME}/start", None)
        self._post("/volumes/create", {"Name": _NAME})
        self._post("/networks/create", {"Name": _NAME})
        self._post(f"/images/busybox/tag?repo={_NAME}", None)
        run = self._post(f"/containers/{_NAME}/exec", {"Cmd": ["true"]})
        names = dict.fromkeys(("containers", "volumes", "networks", "images", "plugins"), _NAME)
        return {**names, "exec": str(run.get("Id") or "none")}

    def _post(self, path: str, body: object) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else b""
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, head)  # noqa: S310  # http:// is ours
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  # likewise
                raw = answer.read()
        except urllib.error.HTTPError:
            return {}  # it is there already
        return json.loads(raw) if raw else {}


def faults_of(method: str, path: str, status: int, kind: str, body: bytes) -> list[str]:
    """Return what is wrong with an answer."""
    text = body.decode(errors="replace")
    if b"internal error: " in body or (status >= 500 and status not in _NOT_HERE and "message" not in text):
        return [f"{status}: {text[:_LONGEST]}"]
    if kind.partition(";")[0] != "application/json":
        return []
    try:
        document = json.loads(text) if text.strip() else None
    except ValueError:
        return []  # a stream of documents: the contract reads those
    if status >= 400:
        told = isinstance(document, dict) and isinstance(document.get("message"), str)
        return [] if told or method == "HEAD" else [f"{status} without a message: {text[:_LONGEST]}"]
    faults = engine_api.definition((1, 55)).faults(method, path, status, document)
    return [fault for fault in faults if fault not in _AS_DOCKERD_SAYS]


def judge(operation: Any, api: Api) -> list[str]:
    """Ask one operation; return what was wrong with its answers."""
    method, path = operation.method.upper(), operation.path
    known = api.stock().get(path.split("/")[1], "")
    found: set[str] = set()

    @hypothesis.seed(1)
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.booleans())
    def ask(case: Any, about_ours: bool) -> None:  # noqa: FBT001  # an example's parts
        if about_ours and known:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = known
        try:
            answer = case.call(timeout=_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001  # whatever the client library makes of a connection that broke
            if path not in _WAITS:
                found.add(f"no answer: {type(error).__name__}: {error}"[:_LONGEST])
            return
        kind = (answer.headers.get("content-type") or [""])[0]
        found.update(faults_of(method, path, answer.status_code, kind, answer.content or b""))

    ask()
    return sorted(found)


def main(definition: str, url: str, report: str) -> None:
    """Ask everything and write the report."""
    import schemathesis  # type: ignore[import-not-found]  # noqa: PLC0415  # in an environment of its own

    schema = schemathesis.openapi.from_dict(json.loads(Path(definition).read_text()))
    schema.config.update(base_url=f"{url}{json.loads(Path(definition).read_text())['basePath']}")
    api, found = Api(url), {}
    for each in schema.get_all_operations():
        operation = each.ok()
        found[f"{operation.method.upper()} {operation.path}"] = judge(operation, api)
    Path(report).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
