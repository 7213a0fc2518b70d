"""What a command is: data that the dispatcher, --help and the tests read, and a function that does it."""

from __future__ import annotations

import os
import sys

from wharf.cli.flags import Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wharf.cli.flags import Values
    from wharf.client.address import TlsFiles
    from wharf.client.client import Client

    Action = Callable[["Session", Values, list[str]], int]


class Session:
    """One invocation: where the engine is, and where output goes. Connects when first asked."""

    def __init__(self, host: str, *, explicit_host: bool, version: str = "", tls: TlsFiles | None = None) -> None:
        """Remember where to connect.

        Args:
            host: The engine's address.
            explicit_host: Whether the user chose it; only the default engine is started when it is not there.
            version: The API version to speak; empty to negotiate.
            tls: How to speak TLS on tcp://; None for not at all.
        """
        self.host = host
        self.tls = tls
        self.explicit_host = explicit_host
        self.version = version
        self.group_flags: Values | None = None  # those between a group's name and its command's: compose has such
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The engine's client; where the default engine does not run, it is started first."""
        if self._client is None:
            from wharf.cli.connection import connect  # noqa: PLC0415  # --help needs no engine

            self._client = connect(self.host, may_start=not self.explicit_host, version=self.version, tls=self.tls)
        return self._client

    def print(self, text: str = "") -> None:
        """Write one line to stdout."""
        sys.stdout.write(text + "\n")

    def warn(self, text: str) -> None:
        """Write one line to stderr, after what is on its way to stdout."""
        sys.stdout.flush()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def each(
        self,
        names: Sequence[str],
        action: Callable[[str], object],
        *,
        echo: bool = True,
        forgive: tuple[type[Exception], ...] = (),
    ) -> int:
        """Do ``action`` for each name; echo those that went well, say what did not; return the exit code.

        What is of a kind to ``forgive`` is said, too, but is no failure.
        """
        from wharf.cli.failures import describe  # noqa: PLC0415  # only commands over several names
        from wharf.errors import Unavailable, WharfError  # noqa: PLC0415

        code = 0
        for name in names:
            try:
                action(name)
            except Unavailable:
                raise
            except WharfError as error:
                self.warn(describe(error))
                code = code if isinstance(error, forgive) else 1
            else:
                if echo:
                    self.print(name)
        return code


class CountError(UsageError):
    """There are too few or too many arguments: exit code 1 for every command, as docker's."""


class Command:
    """One command of the command line."""

    __slots__ = (
        "action",
        "arguments",
        "examples",
        "failure",
        "flags",
        "interspersed",
        "least",
        "most",
        "path",
        "summary",
    )

    def __init__(  # noqa: PLR0913  # all but two by keyword: it reads as a table row
        self,
        path: str,
        action: Action,
        summary: str,
        *,
        arguments: str = "",
        flags: Sequence[Flag] = (),
        count: tuple[int, int | None] = (0, 0),
        examples: Sequence[str] = (),
        interspersed: bool = True,
        failure: int = 1,
    ) -> None:
        """Describe a command.

        Args:
            path: Its words, such as ``image ls``.
            action: What does it; returns the exit code.
            summary: One line.
            arguments: What follows the options in its usage line.
            flags: What it knows.
            count: Least and most arguments; None for no limit.
            examples: Whole command lines.
            interspersed: Whether flags may follow arguments.
            failure: The exit code of a wrong command line: 125 where others are the container's.
        """
        self.path = path
        self.action = action
        self.summary = summary
        self.arguments = arguments
        self.flags = (*flags, Flag("help", "bool", "Print this"))
        self.least, self.most = count
        self.examples = examples
        self.interspersed = interspersed
        self.failure = failure

    def usage(self, path: str) -> str:
        """Return the usage line, for the name it was called by; one for each way to give its arguments."""
        options = " [OPTIONS]" if len(self.flags) > 1 else ""
        ways = self.arguments.split("  or  ")
        return "\n\t".join(f"wharf {path}{options}" + (f" {way}" if way else "") for way in ways)

    def check_count(self, arguments: Sequence[str], path: str) -> None:
        """Refuse too few or too many arguments, in docker's words.

        Raises:
            UsageError: the count is wrong.
        """
        least, most, found = self.least, self.most, len(arguments)
        if least <= found and (most is None or found <= most):
            return
        if most == 0:
            said = "accepts no arguments"
        elif least == most:
            said = f"requires {least} argument{'s' if least != 1 else ''}"
        elif most is None:
            said = f"requires at least {least} argument{'s' if least != 1 else ''}"
        elif least:
            said = f"requires at least {least} and at most {most} arguments"
        else:
            said = f"requires at most {most} argument{'s' if most != 1 else ''}"
        raise CountError(f"wharf: 'wharf {path}' {said}")


def terminal_width(default: int = 80) -> int:
    """Return the columns of the terminal on stdout; 0 when it is not one."""
    try:
        return os.get_terminal_size(1).columns or default
    except OSError:
        return 0
