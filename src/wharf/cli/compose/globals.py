"""The flags between ``compose`` and the command, and the project that they mean."""

from __future__ import annotations

import os
import sys

from wharf.cli.flags import Flag, UsageError, one_of, parse
from wharf.cli.registry import GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wharf.cli.flags import Values

_ANSI = ("never", "always", "auto")
_PROGRESS = ("auto", "tty", "plain", "json", "quiet")


PROJECT_FLAGS = (
    Flag("all-resources", "bool", "Include all resources, even those not used by services"),
    Flag("ansi", "string", "When to print ANSI control characters: never, always or auto", default="auto",
         check=one_of(_ANSI)),
    Flag("compatibility", "bool", "Names with underscores, as the first docker-compose gave them"),
    Flag("dry-run", "bool", "Say what would be done, and do nothing"),
    Flag("env-file", "list", "A file of variables, instead of .env"),
    Flag("file", "list", "A Compose file", short="f"),
    Flag("help", "bool", "Print this", short="h"),
    Flag("insecure-registry", "list", "A registry that may show any certificate, or speak no TLS"),
    Flag("no-ansi", "bool"),
    Flag("parallel", "int", "So much at once; -1 for no limit", default=-1),
    Flag("profile", "list", "A profile to enable"),
    Flag("progress", "string", "How to show progress: auto, tty, plain, json or quiet", check=one_of(_PROGRESS)),
    Flag("project-directory", "string", "The project's folder (else that of the first Compose file)"),
    Flag("project-name", "string", "The project's name", short="p"),
    Flag("verbose", "bool"),
    Flag("version", "bool", "Print the version", short="v"),
    Flag("workdir", "string"),
)  # fmt: skip

# Those that may also stand after the name of a group within compose (`bridge`).
INHERITED_FLAGS = tuple(flag for flag in PROJECT_FLAGS if flag.name in {"dry-run", "help"})

# Flags that a variable sets where they are not given.
_VARIABLES = {"ansi": "COMPOSE_ANSI", "parallel": "COMPOSE_PARALLEL_LIMIT", "progress": "COMPOSE_PROGRESS"}


# Flags of the first docker-compose, and those that took their place, with their values.
_OLD = {"no-ansi": ("ansi", "never"), "workdir": ("project-directory", "")}


def _take_old(values: Values) -> None:
    flags = {flag.name: flag for flag in PROJECT_FLAGS}
    for old, (name, value) in _OLD.items():
        if not values.given(old) or (flags[old].kind == "bool" and not values.on(old)):
            continue
        if values.given(name):
            raise UsageError(f'cannot specify DEPRECATED "--{old}" and "--{name}". Please use only "--{name}"')
        sys.stderr.write(f"option '--{old}' is DEPRECATED! Please use '--{name}' instead.\n")
        values.set(flags[name], value or values.text(old))
    if values.on("verbose"):
        sys.stderr.write("option '--verbose' has no effect.\n")


def take(words: list[str], environment: Mapping[str, str] = os.environ) -> tuple[Values, list[str]]:
    """Return the flags after ``compose`` (those not given may be in variables), and the command with the rest.

    Raises:
        UsageError: they are wrong.
    """
    values, rest = parse(PROJECT_FLAGS, words, interspersed=False)
    _take_old(values)
    for flag in PROJECT_FLAGS:
        text = environment.get(_VARIABLES.get(flag.name, ""), "")
        if text and not values.given(flag.name):
            values.set(flag, text)
    return values, _take_inherited(values, rest)


def _take_inherited(values: Values, words: list[str]) -> list[str]:
    """Take flags out that stand after the name of a group, and return the rest; a wish for help stays."""
    path: list[str] = []
    while words and " ".join(["compose", *path, words[0]]) in GROUPS:
        path.append(words[0])
        found, words = parse(INHERITED_FLAGS, words[1:], interspersed=False)
        if found.given("dry-run"):
            values.set(INHERITED_FLAGS[0], str(found.on("dry-run")).lower())
        if found.on("help"):
            return [*path, "--help"]
    return [*path, *words]
