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
    from wharf.cli.flags import UsageError, Values


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
    values: Values | None = None
    if words and words[0].startswith("-"):
        from wharf.cli.globals import take  # noqa: PLC0415  # most give none

        try:
            values, words = take(words)
        except InvalidArgument as error:
            return _say(
                f"{error}\n\nUsage:  wharf [OPTIONS] COMMAND [ARG...]\n\nRun 'wharf --help' for more information", 125
            )
        if values.on("version"):
            from wharf.lib.version import __version__  # noqa: PLC0415

            sys.stdout.write(f"Wharf version {__version__}\n")
            return 0
        if values.text("config"):
            os.environ["DOCKER_CONFIG"] = values.text("config")
    if not words or words[0] == "help" or (values is not None and values.on("help")):
        return _help_on(words[1:] if words[:1] == ["help"] else words)
    own: Values | None = None
    if words[0] == "compose":
        try:
            own, words = _compose(words)
        except InvalidArgument as error:
            return _say(f"{error}\n\nRun 'wharf compose --help' for more information", 125)
    path, rest = _path(words)
    if path == "daemon" and rest != ["--help"]:
        rest = ["--", *rest]  # its flags are wharfd's
    command = _load(path)
    if command is None:
        return _no_command(path, rest)
    return _run(command, path, rest, values, own)


def _compose(words: list[str]) -> tuple[Values, list[str]]:
    """Take out the flags between ``compose`` and its command."""
    from wharf.cli.compose.globals import take  # noqa: PLC0415  # no other group has flags of its own

    flags, rest = take(words[1:])
    if flags.on("version"):
        return flags, ["compose", "version"]
    return flags, ["compose", *(["--help"] if flags.on("help") else rest)]


def _help_on(words: list[str]) -> int:
    from wharf.cli.usage import overview  # noqa: PLC0415  # only for who asks

    if not words:
        sys.stdout.write(overview())
        return 0
    path, _ = _path(words)
    command = _load(path)
    return _no_command(path, ["--help"]) if command is None else _help(command, path)


def _load(path: str) -> Command | None:
    from wharf.cli.registry import load  # noqa: PLC0415  # not for --version

    return load(path)


def _path(words: list[str]) -> tuple[str, list[str]]:
    from wharf.cli.registry import split  # noqa: PLC0415  # not for --version

    return split(words)


def _no_command(path: str, rest: list[str]) -> int:
    from wharf.cli.registry import GROUPS  # noqa: PLC0415

    group, _, name = path.rpartition(" ")
    if path in GROUPS and (not rest or "--help" in rest):
        from wharf.cli.usage import group_overview  # noqa: PLC0415

        (sys.stdout if rest else sys.stderr).write(group_overview(path))
        return 0
    if group in GROUPS and name:
        usage = f"Usage:  wharf {group} COMMAND\n\nRun 'wharf {group} --help' for more information"
        return _say(f"wharf: unknown command: wharf {path}\n\n{usage}", 1)
    return _say(f"wharf: unknown command: wharf {path}\n\nRun 'wharf --help' for more information", 1)


def _run(command: Command, path: str, words: list[str], globals_: Values | None, own: Values | None) -> int:
    from wharf.cli.flags import UsageError, parse  # noqa: PLC0415

    try:
        if (command.interspersed and "--help" in words) or words[:1] == ["--help"]:
            return _help(command, path)
        values, rest = parse(command.flags, words, interspersed=command.interspersed)
        if values.on("help"):
            return _help(command, path)
        command.check_count(rest, path)
        session = _session(globals_)
        session.group_flags = own
        code = command.action(session, values, rest)
        sys.stdout.flush()
    except UsageError as error:
        return _misused(command, path, error)
    except WharfError as error:
        if globals_ is not None and globals_.on("debug"):
            from traceback import print_exc  # noqa: PLC0415

            print_exc()
        return _failed(command, path, error)
    return code


def _misused(command: Command, path: str, error: UsageError) -> int:
    from wharf.cli.command import CountError  # noqa: PLC0415
    from wharf.cli.flags import FlagError  # noqa: PLC0415

    code = 125 if isinstance(error, FlagError) else 1 if isinstance(error, CountError) else command.failure
    see = "See" if "at least" in str(error) and "at most" not in str(error) else "Run"  # docker has both
    usage = f"Usage:  {command.usage(path)}\n\n{see} 'wharf {path} --help' for more information"
    return _say(f"{error}\n\n{usage}", code)


def _session(values: Values | None) -> Session:
    from wharf.cli.command import Session  # noqa: PLC0415
    from wharf.cli.globals import target  # noqa: PLC0415

    meant = target(values, os.environ)
    version = os.environ.get("DOCKER_API_VERSION", "")
    return Session(meant.host, explicit_host=meant.explicit, version=version, tls=meant.tls)


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
