"""How each instruction's line is taken apart: flags first, then words, pairs, JSON or the rest as it is. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument

_BLANKS: Final = re.compile(r"[\t\v\f\r ]+")
NOT_STRINGS: Final = "when using JSON array syntax, arrays must be comprised of strings only"


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a statement."""

    values: tuple[str, ...] = ()
    json: bool = False


def split_line(line: str, escape: str) -> tuple[str, tuple[str, ...], str]:
    """Return instruction, flags and the rest of a line."""
    name, *rest = _BLANKS.split(line.strip(), maxsplit=1)
    if not rest:
        return name, (), ""
    remaining, flags = _take_flags(rest[0], escape)
    return name, tuple(flags), remaining.strip()


def _take_flags(text: str, escape: str) -> tuple[str, list[str]]:
    """Return what follows the words that begin with ``--``, and these, without their quotes."""
    flags: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith("--", at):
            return text[at:], flags
        word, quoted, at = _flag(text, at, escape)
        if word == "--":
            return text[at:], flags
        if word or quoted:
            flags.append(word)


def _flag(text: str, at: int, escape: str) -> tuple[str, bool, int]:
    word, quote, quoted = "", "", False
    while at < len(text):
        character = text[at]
        at += 1
        if character == quote:
            quote = ""
        elif character == escape:
            word += text[at : at + 1]
            at += 1
        elif quote:
            word += character
        elif character in "'\"":
            quote, quoted = character, True
        elif character.isspace():
            break
        else:
            word += character
    return word, quoted, at


def words(text: str, escape: str) -> list[str]:
    """Return the words of a text; quotes keep blanks together and stay."""
    found: list[str] = []
    word, quote, quoted, at = "", "", False, 0
    while at < len(text):
        character = text[at]
        at += 1
        if not quote and character.isspace():
            if word or quoted:
                found.append(word)
            word, quoted = "", False
            continue
        if quote == character:
            quote = ""
        elif not quote and character in "'\"":
            quote, quoted = character, True
        if character == escape and quote != "'":
            if at == len(text):
                break  # an escape at the end of the line is nothing
            character += text[at]
            at += 1
        word += character
    if word or quoted:
        found.append(word)
    return found


def _blank_separated(text: str, escape: str) -> Arguments:
    del escape
    return Arguments(tuple(_BLANKS.split(text))) if text else Arguments()


def _whole(text: str, escape: str) -> Arguments:
    del escape
    return Arguments((text,)) if text else Arguments()


def _json_list(text: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON list; None for anything that is none.

    Raises:
        InvalidArgument: it holds something else than strings.
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in value):
        raise InvalidArgument(NOT_STRINGS)
    return tuple(value)


def _maybe_json(text: str, escape: str) -> Arguments:
    found = _json_list(text) if text else None
    return _whole(text, escape) if found is None else Arguments(found, json=True)


def _maybe_json_or_words(text: str, escape: str) -> Arguments:
    found = _json_list(text)
    return _blank_separated(text, escape) if found is None else Arguments(found, json=True)


def _pairs(name: str) -> Callable[[str, str], Arguments]:
    def parse(text: str, escape: str) -> Arguments:
        found = words(text, escape)
        if not found:
            return Arguments()
        if "=" not in found[0]:
            parts = _BLANKS.split(text, maxsplit=1)
            if len(parts) < 2:
                raise InvalidArgument(f"{name} must have two arguments")
            return Arguments((parts[0], parts[1], ""))
        values: list[str] = []
        for word in found:
            key, equals, value = word.partition("=")
            if not equals:
                said = json.dumps(word, ensure_ascii=False)
                raise InvalidArgument(f"Syntax error - can't find = in {said}. Must be of the form: name=value")
            values += (key, value, "=")
        return Arguments(tuple(values))

    return parse


def _names(text: str, escape: str) -> Arguments:
    return Arguments(tuple(words(text, escape)))


def _healthcheck(text: str, escape: str) -> Arguments:
    kind, *rest = text.split(maxsplit=1)[:2] if text else [""]
    if not kind:
        return Arguments()
    command = _maybe_json(rest[0] if rest else "", escape)
    return Arguments((kind, *command.values), json=command.json)


def _nothing(text: str, escape: str) -> Arguments:
    del text, escape
    return Arguments(("",))


PARSERS: Final[dict[str, Callable[[str, str], Arguments]]] = {
    "add": _maybe_json_or_words,
    "arg": _names,
    "cmd": _maybe_json,
    "copy": _maybe_json_or_words,
    "entrypoint": _maybe_json,
    "env": _pairs("ENV"),
    "expose": _blank_separated,
    "from": _blank_separated,
    "healthcheck": _healthcheck,
    "label": _pairs("LABEL"),
    "maintainer": _whole,
    "run": _maybe_json,
    "shell": _maybe_json,
    "stopsignal": _whole,
    "user": _whole,
    "volume": _maybe_json_or_words,
    "workdir": _whole,
}
"""By instruction; ONBUILD holds a statement of its own and is not here."""


def arguments_of(keyword: str, text: str, escape: str) -> Arguments:
    """Return the arguments of an instruction; unknown ones are refused later, when their place is known.

    Raises:
        InvalidArgument: they are malformed, in BuildKit's words.
    """
    return PARSERS.get(keyword, _nothing)(text, escape)
