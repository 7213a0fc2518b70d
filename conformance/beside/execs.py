"""Execs: made with every field, begun both ways, and where containers take none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.beside.steps import Sequence, Step, box, get, post


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    started: dict[str, object] = {"Detach": False, "Tty": False}
    upgrade = {"Upgrade": "tcp", "Connection": "Upgrade"}
    bodies: tuple[Any, ...] = (
        {},
        {"Cmd": []},
        {"Cmd": None},
        {"Cmd": "true"},
        {"Cmd": ["true"]},
        {"Cmd": ["nope"]},
        {"Cmd": ["true"], "User": "no such"},
        {"Cmd": ["pwd"], "WorkingDir": "/nope"},
        {"Cmd": ["pwd"], "WorkingDir": "x"},
        {"Cmd": ["env"], "Env": ["A=b"]},
        {"Cmd": ["env"], "Env": ["=b"]},
        {"Cmd": ["id"], "User": "1:2"},
        {"Cmd": ["tty"], "Tty": True},
        {"Cmd": ["cat"]},
        {"Cmd": ["sh", "-c", "echo out; echo err >&2; exit 4"]},
        {"Cmd": ["true"], "DetachKeys": "x"},
        {"Cmd": ["true"], "Privileged": True},
        {"Cmd": ["true"], "ConsoleSize": [1, 2]},
    )
    for body in bodies:
        wanted = {"AttachStdout": True, "AttachStderr": True, "AttachStdin": body.get("Cmd") == ["cat"], **body}
        for kind, headers in (("plain", {}), ("upgraded", upgrade)):
            begin = Step(
                "POST",
                "/exec/@e/start",
                {**started, "Tty": bool(body.get("Tty"))},
                headers=headers,
                stdin=b"typed\n",
                look="bytes" if body.get("Tty") else "frames",
            )
            yield Sequence(
                f"execs.{kind} {json.dumps(body)}",
                box(
                    post("/containers/@c/exec", wanted, "e"),
                    get("/exec/@e/json"),
                    begin,
                    get("/exec/@e/json"),
                    post("/exec/@e/start", started),
                    post("/exec/@e/resize?h=1&w=1"),
                ),
            )
    yield Sequence(
        "execs.refused",
        box(
            get("/exec/nope/json"),
            post("/exec/nope/start", started),
            post("/exec/nope/resize?h=1&w=1"),
            post("/containers/@c/exec", {"Cmd": ["sleep", "9"]}, "e"),
            post("/exec/@e/start"),
            post("/exec/@e/start", {}),
            post("/exec/@e/resize"),
            post("/exec/@e/resize?h=x&w=1"),
            post("/exec/@e/start", {"Detach": True}),
            post("/exec/@e/start", {"Detach": True}),
            get("/exec/@e/json"),
            get("/containers/@c/json"),
            post("/containers/@c/exec", {"Cmd": ["sleep", "9"]}, "d"),
            post("/containers/@c/pause"),
            post("/exec/@d/start", {"Detach": True}),
            post("/containers/@c/exec", {"Cmd": ["true"]}),
            post("/containers/@c/unpause"),
            post("/containers/@c/kill"),
            post("/containers/@c/wait"),
            post("/exec/@d/start", {"Detach": True}),
            get("/exec/@d/json"),
        ),
    )
