"""What Compose and the provider of a service say to each other (docker compose, docs/extension.md). Pure.

``PROVIDER compose --project-name=NAME up --option=value... SERVICE`` answers with lines of JSON;
``PROVIDER compose metadata`` says, where a provider has it, which options its commands take.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from wharf.compose.model.resources import Provided
from wharf.errors import InvalidArgument, WharfError

Verb = Literal["up", "down", "stop"]
KINDS = frozenset({"error", "info", "setenv", "rawsetenv", "debug"})


class Message(msgspec.Struct):
    """One line of a provider."""

    type: str = ""
    message: str = ""


class Parameter(msgspec.Struct):
    """An option that a provider's command takes."""

    name: str = ""
    required: bool = False


class Parameters(msgspec.Struct):
    """The options of one command."""

    parameters: list[Parameter] | None = None


class Metadata(msgspec.Struct):
    """What a provider tells of itself."""

    description: str = ""
    up: Parameters = msgspec.field(default_factory=Parameters)
    down: Parameters = msgspec.field(default_factory=Parameters)
    stop: Parameters | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether its options are not known, so that all are handed on."""
        return not self.description and self.up.parameters is None and self.down.parameters is None


@dataclass(slots=True)
class Variables:
    """What a provider tells the services that depend on it."""

    prefixed: dict[str, str] = field(default_factory=dict)  # by its service's name
    raw: dict[str, str] = field(default_factory=dict)


def metadata_of(answer: bytes) -> Metadata:
    """Return what ``compose metadata`` answered; what is no metadata says nothing."""
    try:
        return msgspec.json.decode(answer, type=Metadata)
    except msgspec.DecodeError:
        return Metadata()


def arguments(metadata: Metadata, provider: Provided, verb: Verb, project: str, service: str) -> list[str] | None:
    """Return what follows the provider's name for a command; None where it has no such command.

    Raises:
        InvalidArgument: an option is missing that the provider cannot do without.
    """
    command = {"up": metadata.up, "down": metadata.down, "stop": metadata.stop}[verb]
    if command is None:
        return None
    known = {one.name: one.required for one in command.parameters or ()}
    for name, required in known.items() if not metadata.says_nothing else ():
        if required and name not in provider.options:
            raise InvalidArgument(
                f'required parameter "{name}" is missing from provider "{provider.type}" definition'
            )
    options = [
        f"--{name}={value}"
        for name, values in provider.options.items()
        if metadata.says_nothing or name in known
        for value in values
    ]
    return ["compose", f"--project-name={project}", verb, *options, service]


def message_of(line: bytes) -> Message | None:
    """Return a line as a message, None for an empty one.

    Raises:
        WharfError: it is none.
    """
    if not line.strip():
        return None
    try:
        message = msgspec.json.decode(line, type=Message)
    except msgspec.DecodeError as error:
        raise WharfError(f"invalid response from plugin: {_shown(line)}") from error
    if message.type not in KINDS:
        raise WharfError(f"invalid response from plugin: {message.type}")
    return message


def keep(variables: Variables, message: Message) -> None:
    """Remember the variable that a message sets, if it sets one.

    Raises:
        WharfError: it is malformed.
    """
    if message.type not in {"setenv", "rawsetenv"}:
        return
    name, equals, value = message.message.partition("=")
    if not (name and equals) or "\0" in message.message:
        raise WharfError(f"invalid response from plugin: {message.message}")
    (variables.raw if message.type == "rawsetenv" else variables.prefixed)[name] = value


def _shown(line: bytes) -> str:
    return line[:200].decode("utf-8", "replace").rstrip()
