"""How instructions and stages are spelt. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wharf.build.checks.rules import Finding, finding
from wharf.build.dockerfile import instructions as kinds

_RESERVED: Final = ("context", "scratch")


def names(dockerfile: kinds.Dockerfile) -> Iterator[Finding]:
    """Yield what is spelt badly."""
    yield from _casing(dockerfile)
    seen: set[str] = set()
    for stage in dockerfile.stages:
        yield from _stage(stage, seen)
        seen.add(stage.name)


def beginnings(dockerfile: kinds.Dockerfile) -> Iterator[Finding]:
    """Yield what is said of a FROM as soon as it is read."""
    for stage in dockerfile.stages:
        yield from _as(stage.begin)
        yield from _comment(stage)


def _casing(dockerfile: kinds.Dockerfile) -> Iterator[Finding]:
    instructions = [one for stage in dockerfile.stages for one in (stage.begin, *stage.instructions)]
    words = [one.original.split(None, 1)[0] for one in instructions]
    lower, upper = sum(map(str.islower, words)), sum(map(str.isupper, words))
    wanted, right = ("lowercase", str.lower) if lower > upper else ("uppercase", str.upper)
    for word, one in zip(words, instructions, strict=True):
        if word != right(word):
            said = f"Command '{word}' should match the case of the command majority ({wanted})"
            yield finding("ConsistentInstructionCasing", said, one.lines)


def _as(begin: kinds.From) -> Iterator[Finding]:
    if len(begin.words) != 4:
        return
    word, _, as_, name = begin.words
    if (word.islower() and not as_.islower()) or (word.isupper() and not as_.isupper()):
        yield finding("FromAsCasing", f"'{as_}' and '{word}' keywords' casing do not match", begin.lines)
    if name != name.lower():
        yield finding("StageNameCasing", f"Stage name '{name}' should be lowercase", begin.lines)


def _stage(stage: kinds.Stage, seen: set[str]) -> Iterator[Finding]:
    name, lines = stage.name, stage.begin.lines
    if not name:
        return
    if name in _RESERVED:
        said = f'Stage name should not use the same name as reserved stage "{name}"'
        yield finding("ReservedStageName", said, lines)
    if name in seen:
        said = f'Duplicate stage name "{name}", stage names should be unique'
        yield finding("DuplicateStageName", said, lines)


def _comment(stage: kinds.Stage) -> Iterator[Finding]:
    name = stage.name
    if name and (comments := stage.begin.comments) and comments[-1].split(" ")[0] != name:
        said = f"Comment for FROM should follow the format: `# {name} <description>`"
        yield finding("InvalidDefinitionDescription", said, stage.begin.lines)
