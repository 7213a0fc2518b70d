"""YAML text to trees with positions: libyaml's events, composed here with the types of YAML 1.2's core schema.

Own composition instead of a loader's: ``yes`` and ``on`` are texts (YAML 1.2), keys keep their places, ``!reset`` and
``!override`` are heard, and an alias bomb is refused (docs/decisions/yaml.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from wharf.compose.load.located import ComposeError, Map, Mark, Override, Reset, Seq

MAX_NODES = 300_000
"""So many nodes a file may come to with its aliases expanded."""
_MAX_DEPTH = 100
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml where PyYAML was built with it

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|(?:0|[1-9][0-9_]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}
_STRING_TAGS = ("tag:yaml.org,2002:str", "!")


def scalar(text: str) -> object:
    """Return the value of a plain scalar: null, a boolean, an integer, a float, or the text itself."""
    first = text[:1]
    if text in _NULLS:
        return None
    if first in "tTfF" and text in _BOOLEANS:
        return _BOOLEANS[text]
    if first in "0123456789+-.":
        if _INTEGER.match(text):
            return _integer(text.replace("_", ""))
        if _FLOAT.match(text):
            return float(text)
        if text.lower() in _INFINITE:
            return float(_INFINITE[text.lower()])
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return sign * int(digits, 8)  # 0640: what file modes are written as
    return sign * int(digits, 0)


def parse(text: str, file: str) -> list[object]:
    """Return the documents in ``text``.

    Raises:
        ComposeError: it is not YAML, repeats a key, or grows too large; with file and line.
    """
    try:
        composer = _Composer(yaml.parse(text, Loader=_LOADER), file)
        return list(composer.documents())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark is not None else file
        raise ComposeError(f"{place}: {error.problem or error.context or 'invalid YAML'}") from error
    except yaml.YAMLError as error:  # characters that no YAML text may have
        raise ComposeError(f"{file}: {error}") from error


class _Composer:
    def __init__(self, events: Iterator[Event], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0
        self._depth = 0

    def documents(self) -> Iterator[object]:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors.clear()
                yield self._value(next(self._events))

    def _mark(self, event: Event) -> Mark:
        start = event.start_mark
        assert start is not None  # the parser marks every event
        return Mark(self._file, start.line + 1, start.column + 1)

    def _fail(self, event: Event, text: str) -> ComposeError:
        return ComposeError(f"{self._mark(event)}: {text}")

    def _count(self, event: Event, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise self._fail(event, "document contains excessive aliasing")

    def _value(self, event: Event) -> object:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(event, 1)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._fail(event, f"nested deeper than {_MAX_DEPTH} levels")
        value = self._node(event)
        self._depth -= 1
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = (value, self._nodes - before)
        tag = getattr(event, "tag", None)
        if tag == "!reset":
            return Reset()
        return Override(value) if tag == "!override" else value

    def _node(self, event: Event) -> object:
        if isinstance(event, ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            if plain or event.tag in {"!reset", "!override"}:
                return scalar(event.value)
            return self._tagged(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping()
        assert isinstance(event, SequenceStartEvent)
        return self._sequence()

    def _tagged(self, event: ScalarEvent) -> object:
        if event.tag is None or event.tag in _STRING_TAGS:
            return event.value
        if event.tag.startswith("tag:yaml.org,2002:"):
            return scalar(event.value)
        raise self._fail(event, f"unknown tag {event.tag}: only !reset and !override are known")

    def _alias(self, event: AliasEvent) -> object:
        found = self._anchors.get(event.anchor or "")
        if found is None:
            raise self._fail(event, f"unknown anchor '{event.anchor}' referenced")
        self._count(event, found[1])
        return found[0]

    def _sequence(self) -> Seq:
        found = Seq()
        while not isinstance(event := next(self._events), SequenceEndEvent):
            found.marks.append(self._mark(event))
            found.append(self._value(event))
        return found

    def _mapping(self) -> Map:
        found = Map()
        merged: list[Map] = []
        while not isinstance(event := next(self._events), MappingEndEvent):
            if isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
                merged += self._merge_key(event)
                continue
            key, mark = self._key(event), self._mark(event)
            if key in found:
                first = found.marks[key].line
                raise ComposeError(f'{mark}: mapping key "{key}" already defined at line {first}')
            found.marks[key] = mark
            found[key] = self._value(next(self._events))
        for other in merged:
            for key, value in other.items():
                if key not in found:
                    found[key] = value
                    found.marks[key] = other.marks[key]
        return found

    def _key(self, event: Event) -> str:
        key = self._alias(event) if isinstance(event, AliasEvent) else None
        if isinstance(event, ScalarEvent):
            key = scalar(event.value) if event.implicit[0] else event.value
            # Go reads a key as text wherever text belongs; a null key is nobody's intention.
            key = event.value if key is not None else None
            if event.anchor:
                self._anchors[event.anchor] = (key, 1)
        if not isinstance(key, str):
            raise self._fail(event, "a key must be a text")
        return key

    def _merge_key(self, event: Event) -> list[Map]:
        value = self._value(next(self._events))
        values = list(value) if isinstance(value, Seq) else [value]
        if not all(isinstance(item, Map) for item in values):
            raise self._fail(event, "map merge requires map or sequence of maps as the value")
        return [item for item in values if isinstance(item, Map)]
