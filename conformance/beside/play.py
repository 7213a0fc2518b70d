"""Ask one daemon all steps of a sequence, and tell what it said to each."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from conformance.beside.exchange import Broken, Request, ask
from conformance.beside.reading import read
from conformance.beside.steps import Sequence, Step

_NAME: Final = re.compile(r"@(\w+)")
UNSENT: Final = "not sent: what it is about is not there"


def play(sequence: Sequence, socket: str, places: Mapping[str, str]) -> list[Any]:
    """Return what the daemon behind ``socket`` said, a value for each step; ``places`` are its folders, by role."""
    kept: dict[str, str] = {"since": _now()}
    return [_said(step, socket, kept, places) for step in sequence.steps]


def unsent(said: Any) -> bool:
    """Tell whether a step was not asked, as what it is about is not there."""
    return isinstance(said, str) and said.startswith(UNSENT)


def _now() -> str:
    return f"{time.time():.9f}"


def _said(step: Step, socket: str, kept: dict[str, str], places: Mapping[str, str]) -> Any:
    kept["now"] = _now()
    deadline = time.monotonic() + step.patience_s
    body = step.body if isinstance(step.body, bytes) or step.body is None else json.dumps(step.body).encode()
    wanted = {
        *_NAME.findall(step.path),
        *_NAME.findall("" if isinstance(step.body, bytes) else json.dumps(step.body)),
    }
    if missing := [name for name in wanted if name not in kept and name.islower()]:
        return f"{UNSENT}: {', '.join(sorted(missing))}"

    def named(text: str) -> str:
        return _NAME.sub(lambda found: kept.get(found[1], found[0]), text)

    if body is not None and not isinstance(step.body, bytes):
        body = named(body.decode()).encode()
    headers = dict(step.headers)
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    elif step.method == "POST":
        headers.setdefault("Content-Length", "0")
    version = f"/v{step.version}" if step.version else ""
    request = Request(step.method, version + named(step.path), headers, body, step.stdin, step.patience_s)
    try:
        answer = ask(socket, request)
        while step.until and step.until not in answer.body and time.monotonic() < deadline:
            time.sleep(0.05)
            answer = ask(socket, request)
    except Broken as broken:
        return f"broken: {broken}"
    if step.keep and answer.status < 300:
        document = json.loads(answer.body)
        kept[step.keep] = document.get("Id") or document.get("ID") or document.get("Name")
    roles = {role: name for role, name in kept.items() if role not in {"since", "now"}}
    return None if step.silent else read(answer, step.look, {**roles, **places})
