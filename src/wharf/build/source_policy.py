"""Which sources a build may use, and what it uses instead (BuildKit, sourcepolicy). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from wharf.errors import Forbidden, InvalidArgument

_MOST_CONVERSIONS: Final = 20
_GROUP: Final = re.compile(r"\$(?:\{(\d+)\}|(\d+))")

Action = Literal["allow", "deny", "convert"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """What an attribute of a source must be, or must not."""

    key: str
    value: str
    equal: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with sources of an identifier, in which ``*`` stands for anything unless it is exact."""

    action: Action
    identifier: str
    exact: bool = False
    constraints: tuple[Constraint, ...] = ()
    becomes: str = ""  # of a conversion: the identifier, $1 for what the first * stood for; "": as it was
    attributes: Mapping[str, str] = field(default_factory=dict)  # of a conversion: set


Policy = Sequence[Rule]


def decided(policies: Sequence[Policy], identifier: str, attributes: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the source to use: its identifier and attributes.

    Raises:
        Forbidden: it is denied; of several rules that allow or deny it, the last one counts.
        InvalidArgument: conversions have no end.
    """
    current, own = identifier, dict(attributes)
    for _ in range(_MOST_CONVERSIONS):
        converted = _applied(policies, current, own)
        if converted is None:
            return current, own
        current, own = converted
    raise InvalidArgument(f'source "{identifier}" is converted again and again by its policy')


def _applied(
    policies: Sequence[Policy], identifier: str, attributes: dict[str, str]
) -> tuple[str, dict[str, str]] | None:
    """Return what a source is converted to; None when it stays as it is."""
    for policy in policies:
        denied = False
        for rule in policy:
            groups = _matched(rule, identifier, attributes)
            if groups is None:
                continue
            if rule.action == "convert":
                converted = _filled(rule.becomes, groups) or identifier, {**attributes, **rule.attributes}
                if converted != (identifier, attributes):
                    return converted
            else:
                denied = rule.action == "deny"
        if denied:
            raise Forbidden(f'source "{identifier}" denied by policy: source denied by policy')
    return None


def _matched(rule: Rule, identifier: str, attributes: Mapping[str, str]) -> list[str] | None:
    """Return what each ``*`` of a rule stands for; None when it is about other sources."""
    if any((attributes.get(one.key, "") == one.value) != one.equal for one in rule.constraints):
        return None
    if rule.identifier == identifier:
        return []
    return None if rule.exact else wildcards(rule.identifier, identifier)


def wildcards(pattern: str, text: str) -> list[str] | None:
    """Return what each ``*`` stands for, the shortest it can be; None when the text is another one. Linear."""
    first, *parts = pattern.split("*")
    if not parts or not text.startswith(first):
        return None
    at, found = len(first), list[str]()
    for part in parts[:-1]:
        place = text.find(part, at)
        if place < 0:
            return None
        found.append(text[at:place])
        at = place + len(part)
    end = len(text) - len(parts[-1])
    if end < at or not text.endswith(parts[-1]):
        return None
    return [*found, text[at:end]]


def _filled(template: str, groups: Sequence[str]) -> str:
    def value(match: re.Match[str]) -> str:
        number = int(match[1] or match[2])
        return groups[number - 1] if 0 < number <= len(groups) else ""

    return _GROUP.sub(value, template)
