"""The ``wharf`` command: find the command, parse its line, run it, turn its failure into a line and an exit code.

Nothing is imported before it is known to be needed: `wharf version` must take no more than twice a bare interpreter.
"""

from __future__ import annotations

import os
import sys

from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wharf.cli.command import Command, Session

DEFAULT_HOST = "unix:///run/wharf/wharf.sock"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who read our output has gone. Python would complain about it once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        # The engine went in the middle of an answer, our output's disk is full, ...: the system's words are the line.
        return _say(f"wharf: {str(error).lower()}", 1)


def _dispatch(words: list[str]) -> int:
    try:
        host, words = _globals(words)
    except InvalidArgument as error:
        return _say(f"{error}\n\nRun 'wharf --help' for more information", 125)
    if not words or words[0] in {"--help", "-h", "help"}:
        from wharf.cli.usage import overview  # noqa: PLC0415  # only for who asks

        sys.stdout.write(overview())
        return 0
    if words[0] in {"--version", "-v"}:
        from wharf.lib.version import __version__  # noqa: PLC0415

        sys.stdout.write(f"Wharf version {__version__}\n")
        return 0
    path, rest = _path(words)
    if path == "daemon" and rest != ["--help"]:
        rest = ["--", *rest]  # its flags are wharfd's
    command = _load(path)
    if command is None:
        return _no_command(path, rest)
    return _run(command, path, rest, host)


def _globals(words: list[str]) -> tuple[str, list[str]]:
    host = ""
    while words and words[0].startswith("-") and words[0] not in {"--help", "-h", "--version", "-v"}:
        word, *words = words
        name, separator, text = word.partition("=")
        if word.startswith("-H") and not separator and len(word) > 2:
            host = word[2:]
        elif name not in {"-H", "--host"}:
            kind = "flag" if word.startswith("--") else "shorthand flag"
            raise InvalidArgument(f"unknown {kind}: {name}")
        elif not separator and not words:
            raise InvalidArgument(f"flag needs an argument: {name}")
        else:
            host = text if separator else words.pop(0)
    return host, words


def _path(words: list[str]) -> tuple[str, list[str]]:
    from wharf.cli.registry import GROUPS  # noqa: PLC0415  # not for --version

    if words[0] in GROUPS and len(words) > 1 and not words[1].startswith("-"):
        return f"{words[0]} {words[1]}", words[2:]
    return words[0], words[1:]


def _load(path: str) -> Command | None:
    from wharf.cli.registry import locate  # noqa: PLC0415

    found = locate(path)
    if found is None:
        return None
    module, canonical = found
    commands: tuple[Command, ...] = __import__(f"wharf.cli.{module}", fromlist=["COMMANDS"]).COMMANDS
    return next(command for command in commands if command.path == canonical)


def _no_command(path: str, rest: list[str]) -> int:
    from wharf.cli.registry import GROUPS  # noqa: PLC0415

    if path in GROUPS and (not rest or "--help" in rest):
        from wharf.cli.usage import group_overview  # noqa: PLC0415

        sys.stdout.write(group_overview(path))
        return 0
    return _say(f"wharf: unknown command: wharf {path}\n\nRun 'wharf --help' for more information", 1)


def _run(command: Command, path: str, words: list[str], host: str) -> int:
    from wharf.cli.flags import UsageError, parse  # noqa: PLC0415

    try:
        if (command.interspersed and "--help" in words) or words[:1] == ["--help"]:
            return _help(command, path)
        values, rest = parse(command.flags, words, interspersed=command.interspersed)
        if values.on("help"):
            return _help(command, path)
        command.check_count(rest, path)
        session = _session(host)
        code = command.action(session, values, rest)
        sys.stdout.flush()
    except UsageError as error:
        see = f"Usage:  {command.usage(path)}\n\nRun 'wharf {path} --help' for more information"
        return _say(f"{error}\n\n{see}", command.failure)
    except WharfError as error:
        return _failed(command, path, error)
    return code


def _session(host: str) -> Session:
    from wharf.cli.command import Session  # noqa: PLC0415

    chosen = host or os.environ.get("WHARF_HOST", "") or os.environ.get("DOCKER_HOST", "")
    version = os.environ.get("DOCKER_API_VERSION", "")
    return Session(chosen or DEFAULT_HOST, explicit_host=bool(chosen), version=version)


def _help(command: Command, path: str) -> int:
    from wharf.cli.usage import command_help  # noqa: PLC0415

    sys.stdout.write(command_help(command, path))
    return 0


def _failed(command: Command, path: str, error: WharfError) -> int:
    from wharf.cli.failures import describe  # noqa: PLC0415

    if command.failure != 125:
        return _say(describe(error), command.failure)
    # Commands whose exit code is the container's say whose words these are.
    return _say(f"wharf: {describe(error)}\n\nRun 'wharf {path} --help' for more information", 125)


def _say(text: str, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    return code
