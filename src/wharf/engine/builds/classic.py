"""What ``POST /build`` writes: Docker's old builder's steps, one after the other, whatever the order of the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from wharf.build.checks.rules import Finding
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.excerpt import excerpt
from wharf.build.graph.vertex import Edge, walk
from wharf.build.operations.exec import CommandFailed
from wharf.build.solver.errors import StepFailed
from wharf.build.solver.progress import Began, Ended, Event, Wrote
from wharf.lib.stdcopy import STDERR

Document = dict[str, object]
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"  # around what goes to standard error
_CONFIGURES = (
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER", "VOLUME",
)  # fmt: skip


@dataclass(slots=True)
class Step:
    """One instruction on its way."""

    text: str
    lines: tuple[int, int]
    pending: set[str]  # digests of its vertices that are not done
    output: list[str] = field(default_factory=list)
    began: str = ""
    container: str = ""  # what its command is said to run in, once that is said
    cached: bool = False
    result: str = ""
    works: bool = False  # it has vertices: others only change the configuration


def steps_of(dockerfile: kinds.Dockerfile, target: Edge | None, target_name: str) -> list[Step]:
    """Return the instructions that a build does, in the file's order; stages that it does not need are left out."""
    by_lines: dict[tuple[int, int], set[str]] = {}
    for vertex in walk(target) if target else ():
        by_lines.setdefault(vertex.description.lines, set()).add(vertex.digest)
    last = _index(dockerfile.stages, target_name)
    steps = [Step(one.original, one.lines, set()) for one in dockerfile.arguments]
    for number, stage in enumerate(dockerfile.stages[: last + 1]):
        own = [stage.begin, *stage.instructions]
        if number == last or any(one.lines in by_lines for one in own):
            steps += [Step(one.original, one.lines, set(by_lines.get(one.lines, ()))) for one in own]
    return steps


def _index(stages: Sequence[kinds.Stage], name: str) -> int:
    found = [i for i, stage in enumerate(stages) if name and stage.name == name.lower()]
    if found:
        return found[-1]
    return int(name) if name.isdigit() and int(name) < len(stages) else len(stages) - 1


class Narrator:
    """Turns events into lines; what comes before its turn waits."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self._by_digest = {digest: step for step in steps for digest in step.pending}
        self._at = 0
        self._announced = False
        for step in self._steps:
            step.works = bool(step.pending)

    def take(self, event: Event) -> Iterator[Document]:
        """Take one event; yield what can be told now."""
        step = self._by_digest.get(event.vertex.digest)
        if step is None:
            return
        match event:
            case Began():
                step.began = step.began or event.vertex.digest
            case Wrote(stream=stream, data=data):
                text = data.decode("utf-8", "replace")
                step.output.append(f"{_RED}{text}{_PLAIN}" if stream == STDERR else text)
            case Ended(cached=cached, error=error, result=result):
                step.cached = cached
                step.result = result or step.result
                if not error:
                    step.pending.discard(event.vertex.digest)
        yield from self._tell()

    def finish(self) -> Iterator[Document]:
        """Yield the rest: steps that nobody had to look at, for a later one was known."""
        for step in self._steps[self._at :]:
            step.cached = step.cached or bool(step.pending)
            step.pending.clear()
        yield from self._tell()

    def _tell(self) -> Iterator[Document]:
        while self._at < len(self._steps):
            step = self._steps[self._at]
            if not self._announced:
                self._announced = True
                yield {"stream": f"Step {self._at + 1}/{len(self._steps)} : {step.text}"}
                yield {"stream": "\n"}
            yield from self._told_of(step)
            if step.pending or self._undecided(step):
                return
            if step.container:
                yield {"stream": f" ---> Removed intermediate container {step.container}\n"}
            if step.cached and not step.text.upper().startswith("FROM"):
                yield {"stream": " ---> Using cache\n"}
            if step.result:
                yield {"stream": f" ---> {step.result[7:19]}\n"}
            self._at += 1
            self._announced = False

    def _told_of(self, step: Step) -> Iterator[Document]:
        """Yield what a step's command has written, and before it what it is said to run in."""
        runs = step.output or step.text.upper().startswith("RUN")
        if runs and step.began and not step.container:
            step.container = step.began[7:19]
            yield {"stream": f" ---> Running in {step.container}\n"}
        for text in step.output:
            yield {"stream": text}
        step.output.clear()

    def _undecided(self, step: Step) -> bool:
        """Let a step that only changes the configuration be known when the work after it is; whether to wait."""
        following = self._steps[self._at + 1 :]
        work = next((one for one in following if one.works or one.text.upper().startswith("FROM")), None)
        if step.works or work is None or not step.text.upper().startswith(_CONFIGURES):
            return False
        step.cached = work.cached
        return bool(work.pending) and not work.began and not work.output


def warnings(findings: Iterable[Finding]) -> Iterator[Document]:
    """Yield what is said before the first step."""
    for found in findings:
        yield {"stream": f"[Warning] {found.rule.name}: {found.detail} (line {found.lines[0]})\n"}


def failure(error: Exception, source: str, name: str) -> Document:
    """Return the line that ends a failed build; its code is the command's own exit code.

    Besides Docker's fields its detail has ``excerpt``: the lines that failed, of the Dockerfile of that name.
    """
    if not isinstance(error, StepFailed):
        return _failure(error, {})
    return _failure(error.reason, {"excerpt": excerpt(source, name, error.vertex.description.lines)})


def _failure(reason: Exception, more: Document) -> Document:
    if isinstance(reason, CommandFailed):
        said = f"The command '{' '.join(reason.arguments)}' returned a non-zero code: {reason.exit_code}"
        return {"errorDetail": {"code": reason.exit_code, "message": said, **more}, "error": said}
    return {"errorDetail": {"message": str(reason), **more}, "error": str(reason)}
