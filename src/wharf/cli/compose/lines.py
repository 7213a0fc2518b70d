"""Lines of many containers on one terminal: each with a prefix, each container with a colour."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from wharf.cli.streams import write_all
from wharf.client.frames import STDERR, STDOUT
from wharf.compose.plan.observed import Container

# cyan, yellow, green, magenta, blue, and the same brighter: docker compose's
_COLOURS = ("36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1")


def short_name(project: str, one: Container) -> str:
    """Return a container's name without its project's (``shop-``): ``web-1``."""
    return one.name.removeprefix(project)


class Lines:
    """Writes whole lines; what is given to it comes from one thread at a time."""

    def __init__(self, project: str, *, prefix: bool = True, colour: bool = True) -> None:
        """Prepare.

        Args:
            project: What the containers' names begin with: ``shop-``.
            prefix: Whether lines begin with whose they are.
            colour: Whether prefixes are coloured.
        """
        self._project = project
        self._prefix = prefix
        self._colour = colour
        self._width = 0
        self._colours: dict[str, str] = {}

    def expect(self, containers: Iterable[Container], *, names: Iterable[str] = ()) -> None:
        """Make the prefix wide enough for these and for names to come, and give colours in this order."""
        for name in names:
            self._width = max(self._width, len(name.removeprefix(self._project)))
        for one in containers:
            self._width = max(self._width, len(short_name(self._project, one)))
            self._colours.setdefault(one.id, _COLOURS[len(self._colours) % len(_COLOURS)])

    def prefix(self, one: Container) -> str:
        """Return what a container's lines begin with."""
        if not self._prefix:
            return ""
        self.expect([one])
        text = f"{short_name(self._project, one):<{self._width}}  | "
        return f"\033[{self._colours[one.id]}m{text}\033[0m" if self._colour else text

    def show(self, one: Container, stream: int, line: bytes) -> None:
        """Write one line to the stream that it came from."""
        write_all(STDERR if stream == STDERR else STDOUT, self.prefix(one).encode() + line + b"\n")

    def ended(self, one: Container, code: int) -> None:
        """Say that a container ended."""
        write_all(STDOUT, f"{short_name(self._project, one)} exited with code {code}\n".encode())


def coloured(ansi: str, *, no_color: bool) -> bool:
    """Return whether to colour: as the flags say, else where stdout is a terminal."""
    if no_color or ansi == "never":
        return False
    return ansi == "always" or sys.stdout.isatty()
