"""Which rules hold: ``# check=skip=A,B;error=true`` at the top of a file or above an instruction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from wharf.build.checks.rules import Rule
from wharf.build.dockerfile.directives import find
from wharf.errors import InvalidArgument

ALL: Final = "all"
ARGUMENT: Final = "BUILDKIT_DOCKERFILE_CHECK"
_DIRECTIVE: Final = "check="
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")


@dataclass(frozen=True, slots=True)
class Settings:
    """Rules that do not hold, and experimental ones that do; either may hold ``all``."""

    skip: frozenset[str] = frozenset()
    experimental: frozenset[str] = frozenset()
    error: bool = False  # a broken rule fails the build

    def holds(self, rule: Rule) -> bool:
        """Return whether a rule is to be looked at."""
        if rule.experimental:
            return bool({ALL, rule.name} & self.experimental)
        return not {ALL, rule.name} & self.skip

    def with_comments(self, comments: Iterable[str]) -> Settings:
        """Return what holds for an instruction with these comments above it; a malformed one counts for nothing."""
        for comment in comments:
            if not comment.startswith(_DIRECTIVE):
                continue
            try:
                own = parse_settings(comment.removeprefix(_DIRECTIVE).split(" ", 1)[0])
            except InvalidArgument:
                return self
            return Settings(self.skip | own.skip, self.experimental | own.experimental, self.error)
        return self


def settings_of(text: str, arguments: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that a Dockerfile asks for, or those of a build argument that takes their place.

    Raises:
        InvalidArgument: they are malformed.
    """
    if arguments is not None and ARGUMENT in arguments:
        return parse_settings(arguments[ARGUMENT])
    directive = find("check", text)
    return parse_settings(directive.value) if directive else Settings()


def parse_settings(text: str) -> Settings:
    """Return the settings that ``skip=…;experimental=…;error=…`` says.

    Raises:
        InvalidArgument: in BuildKit's words.
    """
    names: dict[str, frozenset[str]] = {}
    error = False
    for part in text.strip().split(";", 2) if text.strip() else ():
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals:
            raise InvalidArgument(f'invalid check option "{part}"')
        if key in ("skip", "experimental"):
            names[key] = frozenset(name.strip() for name in value.split(","))
        elif key == "error":
            error = value.strip() in _TRUE
            if not error and value.strip() not in _FALSE:
                raise InvalidArgument(f'failed to parse check option "{part}": invalid syntax')
        else:
            raise InvalidArgument(f'invalid check option "{key}"')
    return Settings(names.get("skip", frozenset()), names.get("experimental", frozenset()), error)
