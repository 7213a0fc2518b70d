"""Runs the programs that provide services."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wharf.client.programs import Running, ask
from wharf.compose.model.service import Service
from wharf.compose.provided.plugins import provider_program
from wharf.compose.provided.protocol import Metadata, Variables, Verb, arguments, keep, message_of, metadata_of
from wharf.errors import InvalidArgument, WharfError

_NOUNS = {"up": "create", "down": "remove", "stop": "stop"}
Tell = Callable[[str, str], None]


def run_provider(
    service: Service, verb: Verb, project: str, environment: Mapping[str, str], tell: Tell
) -> Variables | None:
    """Have a service provided, taken away or stopped; return what is told to those that depend on it.

    Args:
        service: Has a provider.
        verb: What its provider shall do.
        project: The project's name.
        environment: The provider's variables.
        tell: Told of its progress.

    Returns:
        None where the provider has no such command (``stop`` alone).

    Raises:
        WharfError: there is no such program, or it failed, with its words.
    """
    assert service.provider is not None
    program = provider_program(service.provider.type, environment)
    words = arguments(_metadata(program, environment), service.provider, verb, project, service.name)
    if words is None:
        return None
    variables = Variables()
    try:
        with Running([program, *words], environment=environment) as running:
            for line in running.lines():
                _heed(line, variables, service, tell)
            code, complaint = running.wait(), running.complaint()
    except OSError as error:
        raise InvalidArgument(f"cannot run the provider {program}: {(error.strerror or '').lower()}") from error
    if code:
        said = "".join(f"\n  {one}" for one in complaint.splitlines()[-5:])
        raise WharfError(f"{service.name}: failed to {_NOUNS[verb]} service provider: exit status {code}{said}")
    return variables


def _heed(line: bytes, variables: Variables, service: Service, tell: Tell) -> None:
    message = message_of(line)
    if message is None or message.type == "debug":
        return  # for who writes providers
    if message.type == "error":
        raise WharfError(f"{service.name}: {message.message}")
    if message.type == "info":
        tell(f"Service {service.name}", message.message.partition("\n")[0])
    keep(variables, message)


def _metadata(program: str, environment: Mapping[str, str]) -> Metadata:
    """Ask a provider for its options; one that does not know the question has none to tell."""
    try:
        code, answer, _ = ask([program, "compose", "metadata"], environment=environment)
    except OSError as error:
        raise InvalidArgument(f"cannot run the provider {program}: {(error.strerror or '').lower()}") from error
    return metadata_of(answer) if code == 0 else Metadata()
