"""The table of routes, and which of them a request takes.

Every endpoint of the Engine API is in it: those that this build serves, from the handlers' own tables, and those it
knows and refuses by name (:mod:`wharf.api.unsupported`). What is in neither does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

from wharf.api.call import Call
from wharf.api.versions import OLDEST, Version
from wharf.errors import NotFound

Answer = Callable[[Call], Awaitable[web.StreamResponse]]

_PARAMETER = re.compile(r"\{([a-z]+)(:\.\*)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. ``{name}`` in its path is one part, ``{name:.*}`` may hold slashes (image names do)."""

    method: str
    path: str
    answer: Answer
    since: Version = OLDEST
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", _compile(self.path))

    @property
    def noun(self) -> str:
        """The first part of the path, by which the table is kept."""
        return self.path.split("/", 2)[1]


def _compile(path: str) -> re.Pattern[str]:
    pattern, position = "", 0
    for match in _PARAMETER.finditer(path):
        pattern += re.escape(path[position : match.start()])
        pattern += f"(?P<{match.group(1)}>{'.+' if match.group(2) else '[^/]+'})"
        position = match.end()
    return re.compile(pattern + re.escape(path[position:]), re.DOTALL)


class Table:
    """Routes, looked up in the order in which they were given."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_noun: dict[tuple[str, str], list[Route]] = {}
        for route in routes:
            self._by_noun.setdefault((route.method, route.noun), []).append(route)

    def find(self, method: str, path: str, version: Version) -> tuple[Route, dict[str, str]]:
        """Return the route for a path without its version and still quoted, and the path's unquoted parameters.

        Raises:
            NotFound: there is none, or the version asked for does not have it yet.
        """
        plain = unquote(path)
        for route in self._by_noun.get((method, plain.split("/", 2)[1] if "/" in plain else ""), ()):
            match = route.pattern.fullmatch(plain)
            if match is not None and version >= route.since:
                return route, match.groupdict()
        raise NotFound("page not found")
