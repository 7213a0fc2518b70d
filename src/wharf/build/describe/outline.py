"""What one target can be given: arguments, secrets, SSH keys, with what comments say of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wharf.build.convert.convert import Conversion
from wharf.build.convert.scope import expanded
from wharf.build.convert.stage import StageState
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.mounts import parse_mount
from wharf.lib.tables import render


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument."""

    name: str
    value: str
    description: str
    line: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret or an SSH key that a command asks for."""

    name: str
    required: bool
    line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """One target, in the order of the lines."""

    name: str
    description: str
    arguments: tuple[Parameter, ...]
    secrets: tuple[Offer, ...]
    agents: tuple[Offer, ...]


def outline(conversion: Conversion, target: int) -> Outline:
    """Return what a stage, which is converted with all that it needs, can be given."""
    begin = conversion.dockerfile.stages[target].begin
    offers = {kind: _offers(conversion, kind) for kind in ("secret", "ssh")}
    found: dict[str, Parameter] = {}
    for parameter in sorted(_arguments(conversion), key=lambda one: one.line):
        found.setdefault(parameter.name, parameter)
    return Outline(begin.name, begin.description, tuple(found.values()), offers["secret"], offers["ssh"])


def _arguments(conversion: Conversion) -> Iterator[Parameter]:
    dockerfile = conversion.dockerfile
    shared = {one.name: (one, instruction.lines[0])
              for instruction in dockerfile.arguments for one in instruction.arguments}  # fmt: skip
    for index, state in conversion.done.items():
        stage = dockerfile.stages[index]
        for text in (stage.begin.base, stage.begin.platform):
            used = expanded(text, conversion.shared, stage.begin.lines, dockerfile.escape)
            for name in (used.used | used.missing) & shared.keys():
                yield _parameter(*shared[name], conversion.shared.get(name))
        for instruction in stage.instructions:
            if isinstance(instruction, kinds.Arg):
                yield from _declared(instruction, state, shared, conversion.shared)


def _declared(
    instruction: kinds.Arg,
    state: StageState,
    shared: dict[str, tuple[kinds.Argument, int]],
    values: dict[str, str],
) -> Iterator[Parameter]:
    for argument in instruction.arguments:
        if argument.default is None and argument.name in shared:  # it brings the file's into the stage
            yield _parameter(*shared[argument.name], values.get(argument.name))
        else:
            yield _parameter(argument, instruction.lines[0], state.arguments.get(argument.name))


def _parameter(argument: kinds.Argument, line: int, value: str | None) -> Parameter:
    return Parameter(argument.name, value or "", argument.description, line)


def _offers(conversion: Conversion, kind: str) -> tuple[Offer, ...]:
    found: dict[str, Offer] = {}
    for index, state in sorted(conversion.done.items()):
        for instruction in conversion.dockerfile.stages[index].instructions:
            for text in instruction.mounts if isinstance(instruction, kinds.Run) else ():
                mount = parse_mount(text, _expander(state, instruction.lines))
                if mount.type == kind:
                    name = mount.id or (mount.target.rpartition("/")[2] if kind == "secret" else "default")
                    required = mount.required or (name in found and found[name].required)
                    found[name] = Offer(name, required, instruction.lines[0])
    return tuple(found.values())


def _expander(state: StageState, lines: tuple[int, int]) -> Callable[[str], str]:
    return lambda word: state.expanded(word, lines).text


def as_document(told: Outline) -> dict[str, object]:
    """Return an outline for programs."""
    arguments = [
        _present({"name": one.name, "description": one.description, "value": one.value}) | _location(one.line)
        for one in told.arguments
    ]
    fields: dict[str, object] = {
        "name": told.name,
        "description": told.description,
        "args": arguments,
        "secrets": [_offer(one) for one in told.secrets],
        "ssh": [_offer(one) for one in told.agents],
    }
    return _present(fields)


def _present(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value}


def _offer(one: Offer) -> dict[str, object]:
    return _present({"name": one.name, "required": one.required}) | _location(one.line)


def _location(line: int) -> dict[str, object]:
    return {"location": {"ranges": [{"start": {"line": line}, "end": {"line": line}}]}}


def as_text(told: Outline) -> str:
    """Return an outline as tables."""
    parts = []
    if told.name or told.description:
        rows = [("TARGET:", told.name or "(default)")]
        parts.append(render(rows + ([("DESCRIPTION:", told.description)] if told.description else [])))
    if told.arguments:
        arguments = [(one.name, one.value, one.description) for one in told.arguments]
        parts.append(render([("BUILD ARG", "VALUE", "DESCRIPTION"), *arguments]))
    for title, offers in (("SECRET", told.secrets), ("SSH", told.agents)):
        if offers:
            parts.append(render([(title, "REQUIRED"), *((o.name, "true" if o.required else "") for o in offers)]))
    return "\n".join(parts)
