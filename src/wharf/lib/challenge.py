"""``WWW-Authenticate``: what a registry wants before it answers (RFC 9110, 11.6.1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_SCHEME: Final = re.compile(r"\s*([A-Za-z]+)(?:\s+|\s*$|(?=,))")
_PARAMETER: Final = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate; names in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def scopes(self) -> list[str]:
        """What a token must allow."""
        return self.parameters.get("scope", "").split()


def parse_challenges(headers: list[str]) -> list[Challenge]:
    """Return the challenges of an answer, in its order; malformed ones are left out."""
    found: list[Challenge] = []
    for header in headers:
        at = 0
        while at < len(header) and (scheme := _SCHEME.match(header, at)):
            at = scheme.end()
            parameters: dict[str, str] = {}
            while (pair := _PARAMETER.match(header, at)) is not None:
                quoted, bare = pair[2], pair[3]
                parameters[pair[1].lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
                at = pair.end()
            found.append(Challenge(scheme[1].lower(), parameters))
            while at < len(header) and header[at] in ", ":
                at += 1
    return found
