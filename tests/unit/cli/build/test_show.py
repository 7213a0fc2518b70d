from __future__ import annotations

import asyncio
import io
import json

from google.protobuf.timestamp_pb2 import Timestamp

from wharf.cli.build.show import Display, Watched, display_of
from wharf.spec.buildkit.control_pb2 import StatusResponse, Vertex, VertexLog, VertexWarning


def _vertex(name: str, *, ended: bool = False, cached: bool = False, error: str = "") -> StatusResponse:
    vertex = Vertex(digest=name, name=f"[1/2] {name}", cached=cached, error=error, started=Timestamp(seconds=10))
    if ended:
        vertex.completed.CopyFrom(Timestamp(seconds=11, nanos=500_000_000))
    return StatusResponse(vertexes=[vertex])


def _log(name: str, text: str) -> StatusResponse:
    return StatusResponse(logs=[VertexLog(vertex=name, msg=text.encode())])


_NEWS = [
    StatusResponse(vertexes=[Vertex(digest="later", name="later")]),
    _vertex("RUN a"),
    _log("RUN a", "one\ntw"),
    _vertex("RUN b", ended=True, cached=True),
    _log("RUN a", "o\n"),
    StatusResponse(warnings=[VertexWarning(short=b"careful")]),
    _vertex("RUN a", ended=True),
    _vertex("RUN c", ended=True, error="exit code: 3"),
]


def _shown(display: Display, out: io.StringIO) -> str:
    for news in _NEWS:
        display.take(news)
    display.close()
    return out.getvalue()


def test_plain_lines_have_their_steps_number() -> None:
    out = io.StringIO()

    assert _shown(display_of("plain", out, 80), out) == (
        "#1 [1/2] RUN a\n#1 one\n\n"
        "#2 [1/2] RUN b\n#2 CACHED\n\n"
        "#1 two\nWARN: careful\n#1 DONE 1.5s\n\n"
        "#3 [1/2] RUN c\n#3 ERROR: exit code: 3\n"
    )


def test_a_terminal_has_one_line_a_step_at_the_end() -> None:
    out = io.StringIO()
    last = _shown(display_of("tty", out, 30), out).rpartition("\033[J")[2]

    assert last.splitlines() == [
        " => [1/2] RUN a           1.5s",
        " => [1/2] RUN b         CACHED",
        " => [1/2] RUN c          ERROR",
    ]
    assert " => => one\n" in out.getvalue()


def test_programs_get_a_document_a_line() -> None:
    out = io.StringIO()
    lines = _shown(display_of("rawjson", out, 0), out).splitlines()

    assert json.loads(lines[1])["vertexes"][0]["name"] == "[1/2] RUN a"


def test_quiet_shows_nothing() -> None:
    out = io.StringIO()

    assert _shown(display_of("quiet", out, 80), out) == ""


def test_nothing_is_shown_of_a_build_once_it_is_closed_however_it_was_shown() -> None:
    for kind in ("plain", "tty", "rawjson"):
        out = io.StringIO()
        watched = Watched(display_of(kind, out, 80))
        watched.take(_NEWS[1])
        watched.close()
        shown = out.getvalue()
        watched.take(_NEWS[-1])
        watched.close()
        assert out.getvalue() == shown


def test_nobody_waits_for_a_failure_that_will_not_be_shown() -> None:
    async def body() -> None:
        watched = Watched(display_of("quiet", io.StringIO(), 80))
        waiting = asyncio.create_task(watched.see_failure())
        await asyncio.sleep(0)
        assert not waiting.done()
        watched.end()
        await waiting

    asyncio.run(body())
