"""Streams that take a connection over: attach and logs, with a terminal and without, both ways."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.beside.steps import Sequence, Step, box, wait


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    upgrade = {"Upgrade": "tcp", "Connection": "Upgrade"}
    for tty in (False, True):
        for kind, headers in (("plain", {}), ("upgraded", upgrade)):
            for version in ("1.41", "1.51"):
                attach = Step(
                    "POST",
                    "/containers/@c/attach?stream=1&stdin=1&stdout=1&stderr=1&logs=1",
                    headers=headers,
                    stdin=b"typed\n",
                    look="bytes" if tty else "frames",
                    version=version,
                    patience_s=4.0,
                )
                body = {
                    "Cmd": ["sh", "-c", "echo ready; read x; echo got $x; echo err >&2"],
                    "OpenStdin": True,
                    "StdinOnce": True,
                }
                yield Sequence(f"streams.attach tty={tty} {kind} {version}", box(attach, wait(), Tty=tty, **body))
            yield Sequence(
                f"streams.logs tty={tty} {kind}",
                box(Step("GET", "/containers/@c/logs?stdout=1&stderr=1", headers=headers, look="bytes"), Tty=tty),
            )
    yield Sequence(
        "streams.detach",
        box(
            Step(
                "POST",
                "/containers/@c/attach?stream=1&stdin=1&stdout=1&detachKeys=a,b",
                headers=upgrade,
                stdin=b"ab",
                look="bytes",
                patience_s=4.0,
            ),
            Step(
                "POST",
                "/containers/@c/attach?stream=1&stdin=1&stdout=1&detachKeys=nope",
                headers=upgrade,
                look="bytes",
                patience_s=4.0,
            ),
            Tty=True,
            OpenStdin=True,
        ),
    )
