"""From a text to its stages. Pure."""

from __future__ import annotations

from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError, at
from wharf.build.dockerfile.parser import parse, parse_line
from wharf.build.dockerfile.statement import Parsed
from wharf.build.dockerfile.typed import instruction_of
from wharf.errors import InvalidArgument


def read(data: bytes | str) -> kinds.Dockerfile:
    """Return the stages of a Dockerfile.

    Raises:
        DockerfileError: with the line, in BuildKit's words.
    """
    return stages_of(parse(data))


def stages_of(parsed: Parsed) -> kinds.Dockerfile:
    """Return the stages of statements; raises as :func:`read`."""
    found, error = readable(parsed)
    if error is not None:
        raise error
    return found


def readable(parsed: Parsed) -> tuple[kinds.Dockerfile, DockerfileError | None]:
    """Return the stages of the statements that can be read, and why the next one cannot."""
    arguments: list[kinds.Arg] = []
    stages: list[tuple[kinds.From, list[kinds.Any]]] = []
    error = None
    try:
        for statement in parsed.statements:
            instruction = instruction_of(statement)
            if isinstance(instruction, kinds.From):
                stages.append((instruction, []))
            elif stages:
                stages[-1][1].append(instruction)
            elif isinstance(instruction, kinds.Arg):
                arguments.append(instruction)
            else:
                raise at(InvalidArgument("no build stage in current context"), statement.lines)
    except DockerfileError as raised:
        error = raised
    whole = tuple(kinds.Stage(begin, tuple(rest)) for begin, rest in stages)
    return kinds.Dockerfile(tuple(arguments), whole, parsed.escape), error


def trigger_of(line: str) -> kinds.Any:
    """Return the instruction of an image's ONBUILD trigger.

    Raises:
        InvalidArgument: it is malformed, or may not be a trigger.
    """
    statements = parse(line).statements if "\n" in line else (parse_line(line),)
    instruction = instruction_of(statements[0])
    if isinstance(instruction, kinds.From | kinds.Maintainer | kinds.OnBuild):
        raise InvalidArgument(f"{instruction.keyword.upper()} isn't allowed as an ONBUILD trigger")
    return instruction
