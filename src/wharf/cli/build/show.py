"""A build's progress for people and programs: plain lines, a block of lines on a terminal, or JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from google.protobuf.json_format import MessageToDict

from wharf.spec.buildkit.control_pb2 import StatusResponse, Vertex

_INTERNAL = "[internal]"
_MOST_TAIL = 4


class Display(Protocol):
    """Shows a build."""

    def take(self, response: StatusResponse) -> None:
        """Take news."""

    def close(self) -> None:
        """Leave what has been shown. Called once, at the end."""


def display_of(kind: str, out: TextIO, width: int) -> Display:
    """Return what shows progress: auto, plain, tty, rawjson or quiet."""
    if kind == "quiet":
        return Quiet()
    if kind == "rawjson":
        return Json(out)
    if kind == "tty" or (kind in ("", "auto") and out.isatty()):
        return Block(out, width or 80)
    return Plain(out)


@dataclass(slots=True)
class _Step:
    number: int
    name: str
    started: float = 0.0
    ended: float = 0.0
    cached: bool = False
    error: str = ""
    told_end: bool = False
    tail: list[str] = field(default_factory=list)
    rest: str = ""

    def how(self, now: float) -> str:
        """Return how it stands."""
        if self.error:
            return "ERROR"
        if self.cached:
            return "CACHED"
        return f"{max(0.0, (self.ended or now) - self.started):.1f}s"


class _Steps:
    """All steps so far, in the order in which they began."""

    def __init__(self) -> None:
        self.by_digest: dict[str, _Step] = {}
        self.now = 0.0

    def take(self, vertex: Vertex) -> _Step | None:
        """Take a vertex; None while it has not begun."""
        step = self.by_digest.get(vertex.digest)
        if step is None:
            if not vertex.HasField("started"):
                return None
            step = self.by_digest[vertex.digest] = _Step(len(self.by_digest) + 1, vertex.name)
        step.started = vertex.started.ToNanoseconds() / 1e9
        if vertex.HasField("completed"):
            step.ended = vertex.completed.ToNanoseconds() / 1e9
        step.cached, step.error = vertex.cached, vertex.error
        self.now = max(self.now, step.started, step.ended)
        return step

    def lines(self, digest: str, data: bytes) -> tuple[_Step | None, list[str]]:
        """Take a step's output; return the lines that are whole now."""
        step = self.by_digest.get(digest)
        if step is None:
            return None, []
        *whole, step.rest = (step.rest + data.decode("utf-8", "replace").replace("\r\n", "\n")).split("\n")
        step.tail = [*step.tail, *whole][-_MOST_TAIL:]
        return step, whole


class Quiet:
    """Shows nothing."""

    def take(self, response: StatusResponse) -> None:
        """Take news."""

    def close(self) -> None:
        """Nothing is open."""


class Watched:
    """Shows what another does; whoever wants to know can wait for a step to be seen failing."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._failed = asyncio.Event()
        self._closed = False

    def take(self, response: StatusResponse) -> None:
        """Take news."""
        if not self._closed:
            self._display.take(response)
        if any(vertex.error for vertex in response.vertexes):
            self._failed.set()

    def end(self) -> None:
        """No news come any more: nobody need wait."""
        self._failed.set()

    def close(self) -> None:
        """Leave what has been shown; nothing is shown any more. Idempotent."""
        if not self._closed:
            self._closed = True
            self._display.close()

    async def see_failure(self) -> None:
        """Wait until a failed step has been shown, with all that it had written, or no news come any more."""
        await self._failed.wait()


class Json:
    """A line of JSON for each piece of news (docker buildx build, "--progress=rawjson")."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def take(self, response: StatusResponse) -> None:
        """Write a line."""
        self._out.write(json.dumps(MessageToDict(response, preserving_proto_field_name=True)) + "\n")
        self._out.flush()

    def close(self) -> None:
        """Every line is written already."""


class Plain:
    """Lines, each with its step's number, as docker buildx prints them to a file."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._steps = _Steps()
        self._last = 0

    def take(self, response: StatusResponse) -> None:
        """Write what is new."""
        for vertex in response.vertexes:
            step = self._steps.take(vertex)
            if step is not None:
                self._tell(step)
        for log in response.logs:
            step, lines = self._steps.lines(log.vertex, log.msg)
            for line in lines:
                assert step is not None
                self._line(step, line)
        for warning in response.warnings:
            self._out.write(f"WARN: {warning.short.decode('utf-8', 'replace')}\n")
        self._out.flush()

    def close(self) -> None:
        """Write what has no end of line."""
        for step in self._steps.by_digest.values():
            if step.rest:
                self._line(step, step.rest)
                step.rest = ""
        self._out.flush()

    def _tell(self, step: _Step) -> None:
        if step.number != self._last and not step.told_end:
            self._line(step, step.name)
        if (step.ended or step.error) and not step.told_end:
            step.told_end = True
            how = "DONE " + step.how(0) if not (step.cached or step.error) else step.how(0)
            self._line(step, f"{how}: {step.error}" if step.error else how)

    def _line(self, step: _Step, text: str) -> None:
        if self._last not in (0, step.number):
            self._out.write("\n")
        self._last = step.number
        self._out.write(f"#{step.number} {text}\n")


class Block:
    """On a terminal: a line for each step, and the last lines of those that run, renewed in place."""

    def __init__(self, out: TextIO, width: int) -> None:
        self._out = out
        self._width = width
        self._steps = _Steps()
        self._shown = 0

    def take(self, response: StatusResponse) -> None:
        """Draw all anew."""
        for vertex in response.vertexes:
            self._steps.take(vertex)
        for log in response.logs:
            self._steps.lines(log.vertex, log.msg)
        self._draw(self._lines())

    def close(self) -> None:
        """Leave the last state, with no step's output."""
        self._draw(self._lines(tails=False))

    def _lines(self, *, tails: bool = True) -> list[str]:
        lines = []
        for step in self._steps.by_digest.values():
            how = step.how(self._steps.now)
            room = self._width - len(how) - 5
            name = step.name if len(step.name) <= room else step.name[: room - 1] + "…"
            lines.append(f" => {name.ljust(room)} {how}")
            if tails and not step.ended:
                lines += [f" => => {line}"[: self._width - 1] for line in step.tail]
        return lines

    def _draw(self, lines: list[str]) -> None:
        up = f"\033[{self._shown}A" if self._shown else ""
        self._out.write(f"{up}\r\033[J" + "".join(f"{line}\n" for line in lines))
        self._out.flush()
        self._shown = len(lines)


def standard_display(kind: str) -> Display:
    """Return what shows progress on standard error, as wide as its terminal."""
    from wharf.cli.command import terminal_width  # noqa: PLC0415  # avoids a circle with the commands

    return display_of(kind, sys.stderr, terminal_width())
