"""The flags before the command, and which engine they and the environment mean."""

from __future__ import annotations

import os

from wharf.cli.flags import Flag, parse
from wharf.client.address import TlsFiles, default_host
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.cli.flags import Values

_LEVELS = ("debug", "info", "warn", "error", "fatal")


def _level(text: str) -> None:
    """Refuse what is no level; there are no lines of ours that one could leave out."""
    if text not in _LEVELS:
        raise InvalidArgument(f"choose one of {', '.join(_LEVELS)}")


GLOBAL_FLAGS = (
    Flag("config", "string", "Folder of config.json and contexts (else DOCKER_CONFIG, else ~/.docker)"),
    Flag(
        "context",
        "string",
        "The engine of a context (else DOCKER_CONTEXT, else that of 'wharf context use')",
        short="c",
    ),
    Flag("debug", "bool", "Show where a failure came from", short="D"),
    Flag("help", "bool", "Print this", short="h"),
    Flag("host", "string", "The engine's address (else WHARF_HOST, else DOCKER_HOST)", short="H"),
    Flag("log-level", "string", "Least important lines that are logged", short="l", default="info", check=_level),
    Flag("tls", "bool", "Speak TLS with tcp:// (implied by --tlsverify)"),
    Flag("tlscacert", "string", "Who signs the engine's certificate"),
    Flag("tlscert", "string", "Our certificate"),
    Flag("tlskey", "string", "The key of our certificate"),
    Flag("tlsverify", "bool", "Speak TLS, and only with an engine whose certificate is right"),
    Flag("version", "bool", "Print the version", short="v"),
)


class Target:
    """The engine that is meant."""

    __slots__ = ("explicit", "host", "tls")

    def __init__(self, host: str, tls: TlsFiles | None, *, explicit: bool) -> None:
        self.host = host
        self.tls = tls
        self.explicit = explicit  # whether anybody chose it: only the default engine is started when it is not there


def take(words: list[str]) -> tuple[Values, list[str]]:
    """Return the flags before the command, and the command with the rest.

    Raises:
        UsageError: they are wrong.
    """
    return parse(GLOBAL_FLAGS, words, interspersed=False)


def target(values: Values | None, environment: Mapping[str, str]) -> Target:
    """Return the engine that is meant: by --context or --host, else by the environment, else by the current context.

    Raises:
        InvalidArgument: --context and --host are both given.
        NotFound: there is no such context.
    """
    host = values.text("host") if values else ""
    context = values.text("context") if values else ""
    if host and context:
        raise InvalidArgument("conflicting options: cannot specify both --host and --context")
    if not context:
        host = host or environment.get("WHARF_HOST") or environment.get("DOCKER_HOST") or ""
        if host:
            return Target(host, tls_files(values, environment), explicit=True)
        context = current_context(environment)
    if context != "default":
        from wharf.client.contexts import Contexts  # noqa: PLC0415  # most have none

        found, tls = Contexts(environment).endpoint(context)
        return Target(found, tls, explicit=True)
    return Target(default_host(environment), None, explicit=False)


def current_context(environment: Mapping[str, str]) -> str:
    """Return the name of the context that holds where nothing else is said."""
    named = environment.get("DOCKER_CONTEXT")
    if named:
        return named
    from wharf.client.config import read_config  # noqa: PLC0415

    found = read_config(environment).get("currentContext")
    return found if isinstance(found, str) and found else "default"


def tls_files(values: Values | None, environment: Mapping[str, str]) -> TlsFiles | None:
    """Return how to speak TLS, by the flags or DOCKER_TLS_VERIFY; None for not at all."""
    verify = (
        values.on("tlsverify") if values and values.given("tlsverify") else bool(environment.get("DOCKER_TLS_VERIFY"))
    )
    if not (verify or (values and values.on("tls"))):
        return None
    from wharf.client.config import config_folder  # noqa: PLC0415

    folder = environment.get("DOCKER_CERT_PATH") or config_folder(environment)

    def path(flag: str, file: str) -> str:
        return (values.text(flag) if values else "") or os.path.join(folder, file)

    return TlsFiles(
        path("tlscacert", "ca.pem"), path("tlscert", "cert.pem"), path("tlskey", "key.pem"), verify=verify
    )
