"""Containers in each of their states, and everything that may be asked of them there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from conformance.beside import steps
from conformance.beside.steps import Sequence, Step, inspect, logs, remove, wait

_C: Final = "/containers/@c"


def create(name: str = "c", /, *, query: str = "?name=box", **config: object) -> Step:
    """Return the step that creates a container with a name; by default one that says when it hears signals."""
    waits = ["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"]
    return steps.create(name, query=query, **dict[str, Any]({"Cmd": waits, **config}))


def start(name: str = "c") -> Step:
    """Return the step that starts a container."""
    return steps.start(name)


_READY: Final = Step("GET", f"{_C}/logs?stdout=1", until=b"ready", silent=True)
_STOP: Final = Step("POST", f"{_C}/stop?t=5")
_PAUSE: Final = Step("POST", f"{_C}/pause")
_ENDED: Final = create(Cmd=["sh", "-c", "echo out; echo err >&2; exit 3"])
STATES: Final[dict[str, tuple[Step, ...]]] = {
    "created": (create(),),
    "running": (create(), start(), _READY),
    "paused": (create(), start(), _READY, _PAUSE),
    "exited": (_ENDED, start(), wait()),
    "stopped": (create(), start(), _READY, _STOP),
    "killed": (create(), start(), _READY, Step("POST", f"{_C}/kill"), wait()),
    "failed": (create(Cmd=["/nope"]), start()),
    "removed": (create(), Step("DELETE", f"{_C}")),
    "unknown": (Step("GET", "/containers/nobody/json"),),
}
"""How a container comes into a state."""
_CHANGES: Final = (
    ("POST", "/start"),
    ("POST", "/stop?t=1"),
    ("POST", "/restart?t=1"),
    ("POST", "/kill"),
    ("POST", "/kill?signal=HUP"),
    ("POST", "/pause"),
    ("POST", "/unpause"),
    ("DELETE", ""),
    ("DELETE", "?force=1"),
)
_LOOKED: Final = (
    ("POST", "/stop?t=x"),
    ("POST", "/stop?signal=NOPE"),
    ("POST", "/kill?signal=0"),
    ("POST", "/kill?signal=NOPE"),
    ("GET", "/top"),
    ("GET", "/top?ps_args=-o%20pid,comm"),
    ("GET", "/top?ps_args=nope"),
    ("GET", "/stats?stream=0&one-shot=1"),
    ("GET", "/changes"),
    ("GET", "/logs"),
    ("GET", "/logs?stdout=1&stderr=1"),
    ("GET", "/logs?stdout=1&tail=x"),
    ("GET", "/logs?stdout=1&since=x"),
    ("GET", "/logs?stdout=1&tail=0"),
    ("GET", "/json"),
    ("GET", "/json?size=1"),
    ("POST", "/resize?h=10&w=20"),
    ("POST", "/resize?h=x&w=20"),
    ("POST", "/resize"),
    ("POST", "/wait"),
    ("POST", "/wait?condition=nope"),
    ("POST", "/wait?condition=removed"),
    ("POST", "/rename?name=other"),
    ("POST", "/rename?name="),
    ("POST", "/rename"),
    ("POST", "/rename?name=a%20b"),
    ("POST", "/update"),
    ("POST", "/exec"),
    ("GET", "/archive?path=/etc"),
    ("GET", "/archive"),
    ("HEAD", "/archive?path=/etc"),
    ("HEAD", "/archive?path=/nope"),
    ("GET", "/archive?path=/nope"),
    ("PUT", "/archive?path=/nope"),
    ("PUT", "/archive"),
    ("GET", "/export"),
    ("POST", "/attach"),
    ("POST", "/attach?stream=1&stdout=1&logs=1"),
    ("POST", "/attach?logs=1&stdout=1&stderr=1"),
    ("DELETE", "?link=1"),
    ("GET", "/checkpoints"),
    ("POST", "/nope"),
    ("GET", "/start"),
    ("PUT", "/start"),
)
_LOOKS: Final = {
    "/logs": "frames",
    "/attach": "frames",
    "/archive": "tar",
    "/export": "tar",
    "/stats": "shape",
    "/changes": "sorted",
}
_LASTS: Final = frozenset(
    {
        ("created", "/wait?condition=removed"),
        ("running", "/wait?condition=removed"),
        ("paused", "/wait?condition=removed"),
        ("created", "/wait"),
        ("running", "/wait"),
        ("paused", "/wait"),
        ("created", "/attach"),
        ("running", "/attach"),
        ("paused", "/attach"),
        ("exited", "/wait?condition=removed"),
        ("stopped", "/wait?condition=removed"),
        ("killed", "/wait?condition=removed"),
        ("failed", "/wait?condition=removed"),
    }
)
"""What is answered, and then waits: one second is enough to see that."""


def sequences() -> Iterator[Sequence]:
    """Yield one for each state and each request; then what a whole life looks like."""
    for state, before in STATES.items():
        quiet = tuple(replace(step, silent=True) for step in before)
        looked = tuple(_step(state, method, path) for method, path in _LOOKED)
        yield Sequence(f"life.{state} is looked at", (*quiet, *looked, remove()))
        for method, path in _CHANGES:
            yield Sequence(
                f"life.{state} {method} {path}",
                (*quiet, _step(state, method, path), *_after(state), remove()),
            )
    yield from _lives()


def _step(state: str, method: str, path: str) -> Step:
    plain = path.partition("?")[0]
    base = "/containers/nobody" if state == "unknown" else _C
    waits = {(state, plain), (state, path)} & _LASTS
    body: object = None
    if path == "/update":
        body = {"Memory": 64 << 20}
    if path == "/exec":
        body = {"Cmd": ["true"]}
    return Step(
        method,
        f"{base}{path}",
        body,
        look=_LOOKS.get(plain, "") if plain != "/archive" or method == "GET" else "",
        patience_s=1.0 if waits else 20.0,
    )


def _after(state: str) -> tuple[Step, ...]:
    """Return the step that looks at what a request has done, where it can have done something."""
    return () if state in ("unknown", "removed") else (inspect(),)


def _lives() -> Iterator[Sequence]:
    events = Step(
        "GET", "/events?since=@since&until=@now&filters=%7B%22container%22%3A%7B%22@c%22%3Atrue%7D%7D", look="lines"
    )
    listed = Step("GET", "/containers/json?all=1")
    for name, asked in (
        ("run", (_ENDED, start(), wait(), logs(), inspect(), listed)),
        ("stop", (create(), listed, start(), _READY, listed, _STOP, listed, inspect())),
        ("kill", (create(), start(), _READY, Step("POST", f"{_C}/kill"), wait(), inspect(), listed)),
        ("ignores", (create(Cmd=["sleep", "60"]), start(), Step("POST", f"{_C}/stop?t=0"), inspect(), listed)),
        ("pause", (create(), start(), _READY, _PAUSE, listed, inspect(), Step("POST", f"{_C}/unpause"), inspect())),
        ("stop paused", (create(), start(), _READY, _PAUSE, _STOP, inspect())),
        ("restart", (create(), start(), _READY, Step("POST", f"{_C}/restart?t=5"), inspect())),
        ("rename", (create(), Step("POST", f"{_C}/rename?name=renamed"), inspect(), listed)),
        ("signal", (create(StopSignal="SIGINT"), start(), _READY, Step("POST", f"{_C}/stop?t=0"), inspect())),
        ("name", (create(query="?name=given"), inspect(), create("d", query="?name=given"))),
        (
            "odd names",
            tuple(
                create(f"c{number}", query=f"?name={one}")
                for number, one in enumerate(("a", "-a", "a%20b", "/a/b", "a/b", "", "_a"))
            ),
        ),
        (
            "health",
            (
                create(Healthcheck={"Test": ["CMD", "true"], "Interval": 50000000}),
                start(),
                Step("POST", f"{_C}/wait?condition=not-running", patience_s=1.0),
                inspect(),
            ),
        ),
        (
            "auto-remove",
            (create(Cmd=["true"], HostConfig={"AutoRemove": True}), start(), wait(query="?condition=removed")),
        ),
        (
            "on-failure",
            (
                create(Cmd=["false"], HostConfig={"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}}),
                start(),
                Step("POST", f"{_C}/wait", silent=True),
                Step("POST", f"{_C}/wait", patience_s=2.0, silent=True),
                inspect(),
            ),
        ),
        (
            "update",
            (
                create(),
                start(),
                _READY,
                Step("POST", f"{_C}/update", {"Memory": 64 << 20, "MemorySwap": 128 << 20}),
                inspect(),
                Step("POST", f"{_C}/update", {"CpuShares": 5, "NanoCpus": 1}),
                Step("POST", f"{_C}/update", {"Nope": 1}),
                Step("POST", f"{_C}/update", {"RestartPolicy": {"Name": "always"}}),
                inspect(),
                Step("POST", f"{_C}/update", {"PidsLimit": 10}),
                Step("POST", f"{_C}/update", {"Memory": 1}),
                Step("POST", f"{_C}/update"),
                Step("POST", f"{_C}/update", {}),
            ),
        ),
        (
            "changes",
            (
                create(Cmd=["sh", "-c", "touch /a; rm -r /bin/ar; mkdir -p /b/c; echo x>/etc/passwd"]),
                start(),
                wait(),
                Step("GET", f"{_C}/changes", look="sorted"),
            ),
        ),
        (
            "tty",
            (
                create(Cmd=["sh", "-c", "echo hi; tty"], Tty=True),
                start(),
                wait(),
                Step("GET", f"{_C}/logs?stdout=1&stderr=1", look="bytes"),
            ),
        ),
        (
            "logs",
            (
                create(Cmd=["sh", "-c", "echo a; echo b; echo c >&2; printf d"]),
                start(),
                wait(),
                *(
                    Step("GET", f"{_C}/logs?{query}", look="frames")
                    for query in (
                        "stdout=1",
                        "stderr=1",
                        "stdout=1&tail=1",
                        "stdout=1&stderr=1&tail=all",
                        "stdout=1&tail=-1",
                        "stdout=1&timestamps=1",
                        "stdout=1&details=1",
                        "stdout=1&since=9999999999",
                        "stdout=1&until=1",
                        "stdout=1&follow=1",
                        "stdout=true",
                        "stdout=yes",
                        "stdout=0",
                        "stdout=1&since=2020-01-01",
                        "stdout=1&since=1h",
                        "stdout=1&until=-1",
                        "stdout=1&tail=1.5",
                    )
                ),
            ),
        ),
        ("env", (create(Cmd=["env"], Env=["B=1", "A=2", "PATH=/bin", "HOME=/h"]), start(), wait(), logs())),
        (
            "env tty",
            (create(Cmd=["env"], Tty=True), start(), wait(), Step("GET", f"{_C}/logs?stdout=1", look="bytes")),
        ),
    ):
        yield Sequence(f"life of one: {name}", (*asked, events, remove()))
