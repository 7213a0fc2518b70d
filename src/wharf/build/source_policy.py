"""Which sources a build may use, and what it uses instead (BuildKit, sourcepolicy). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    regular: bool = False  # the value is a regular expression


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with sources of an identifier, in which ``*`` stands for anything unless it is exact."""

    action: Action
    identifier: str
    exact: bool = False
    constraints: tuple[Constraint, ...] = ()
    becomes: str = ""  # of a conversion: the identifier, $1 for what the first * stood for; "": as it was
    attributes: Mapping[str, str] = field(default_factory=dict)  # of a conversion: set
    regular: bool = False  # the identifier is a regular expression


@dataclass(frozen=True, slots=True)
class Found:
    """A place in a text that a regular expression is found at."""

    start: int
    end: int
    groups: Sequence[str] = ()


Policy = Sequence[Rule]
Expression = Callable[[str, str], Sequence[Found]]
"""Returns where a regular expression is found in a text: how, and for how long, is decided elsewhere."""


def expressions_of(policies: Iterable[Policy]) -> set[str]:
    """Return all regular expressions of policies."""
    rules = [rule for policy in policies for rule in policy]
    own = {rule.identifier for rule in rules if rule.regular}
    return own | {one.value for rule in rules for one in rule.constraints if one.regular}


def _none(pattern: str, text: str) -> Sequence[Found]:
    raise AssertionError((pattern, text))


def decided(
    policies: Sequence[Policy], identifier: str, attributes: Mapping[str, str], expression: Expression = _none
) -> tuple[str, dict[str, str]]:
    """Return the source to use: its identifier and attributes. ``expression`` evaluates regular expressions.

    Raises:
        Forbidden: it is denied; of several rules that allow or deny it, the last one counts.
        InvalidArgument: conversions have no end.
    """
    current, own = identifier, dict(attributes)
    for _ in range(_MOST_CONVERSIONS):
        converted = _applied(policies, current, own, expression)
        if converted is None:
            return current, own
        current, own = converted
    raise InvalidArgument(f'source "{identifier}" is converted again and again by its policy')


def _applied(
    policies: Sequence[Policy], identifier: str, attributes: dict[str, str], expression: Expression
) -> tuple[str, dict[str, str]] | None:
    """Return what a source is converted to; None when it stays as it is."""
    for policy in policies:
        denied = False
        for rule in policy:
            places = _matched(rule, identifier, attributes, expression)
            if places is None:
                continue
            if rule.action == "convert":
                becomes = _replaced(rule, identifier, places)
                converted = becomes or identifier, {**attributes, **rule.attributes}
                if converted != (identifier, attributes):
                    return converted
            else:
                denied = rule.action == "deny"
        if denied:
            raise Forbidden(f'source "{identifier}" denied by policy: source denied by policy')
    return None


def _matched(
    rule: Rule, identifier: str, attributes: Mapping[str, str], expression: Expression
) -> Sequence[Found] | None:
    """Return where a rule fits, with what each ``*`` or group stands for; None when it is about other sources."""
    for one in rule.constraints:
        value = attributes.get(one.key, "")
        if (bool(expression(one.value, value)) if one.regular else value == one.value) != one.equal:
            return None
    if rule.regular:
        return expression(rule.identifier, identifier) or None
    whole = Found(0, len(identifier))
    if rule.identifier == identifier:
        return [whole]
    groups = None if rule.exact else wildcards(rule.identifier, identifier)
    return None if groups is None else [Found(whole.start, whole.end, groups)]


def _replaced(rule: Rule, identifier: str, places: Sequence[Found]) -> str:
    """Return what a source becomes: each place where the rule fits is replaced; "" for what it was."""
    if not rule.becomes:
        return ""
    text, at = "", 0
    for place in places:
        text += identifier[at : place.start] + _filled(rule.becomes, place.groups)
        at = place.end
    return text + identifier[at:]


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
