"""``--format``: a small, safe subset of Go's text/template.

Actions are ``{{...}}``; a minus inside the braces trims white space. Known are ``.Field.Sub``, ``$.Field``,
quoted texts, numbers, parentheses, pipes, ``range``, ``if``, ``with``, ``else``, ``end`` (over one expression each),
and the functions ``json``, ``upper``, ``lower``, ``title``, ``join``, ``split``, ``len``, ``index``, ``println``,
``eq``, ``ne``, ``not``. Anything else is refused by name.
"""

from __future__ import annotations

import re

from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+|\$?\.[\w.]*|\$|[A-Za-z_]\w*|[()|])')
_MAPS = {"Annotations", "Attributes", "DriverOpts", "Labels", "Networks", "Options", "Ports", "Sysctls", "Tmpfs"}
"""Fields whose keys are anybody's: one that is missing is no mistake, and is shown as Go shows no value."""

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def render(template: str, value: object) -> str:
    """Return ``template`` filled in from ``value``.

    Raises:
        InvalidArgument: it is malformed, uses what is not in the subset, or names a field that is not there.
    """
    nodes, rest = _nodes(_pieces(template), 0, nested=False)
    assert rest == len(_pieces(template))
    return _fill(nodes, value, value)


# A node is (kind, payload, body, otherwise).
_Node = tuple[str, str, list["_Node"], list["_Node"]]


def _pieces(template: str) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    rest, trim = template, False
    while rest:
        literal, opening, rest = rest.partition("{{")
        if not opening and "}}" in literal:
            raise InvalidArgument('template parsing error: unexpected "}}"')
        literal = literal.lstrip() if trim else literal
        if opening:
            action, closing, rest = rest.partition("}}")
            if not closing:
                raise InvalidArgument("template parsing error: unclosed action")
            literal = literal.rstrip() if action.startswith("- ") else literal
            trim = action.endswith(" -")
            pieces.append(("text", literal))
            pieces.append(("action", action.removeprefix("- ").removesuffix(" -").strip()))
        else:
            pieces.append(("text", literal))
    return pieces


def _nodes(pieces: list[tuple[str, str]], at: int, *, nested: bool) -> tuple[list[_Node], int]:
    nodes: list[_Node] = []
    while at < len(pieces):
        kind, text = pieces[at]
        word, _, expression = text.partition(" ")
        if kind == "action" and word in {"end", "else"}:
            if not nested:
                raise InvalidArgument(f"template parsing error: unexpected {{{{{word}}}}}")
            return nodes, at
        at += 1
        if kind == "action" and word in {"range", "if", "with"}:
            body, at = _nodes(pieces, at, nested=True)
            otherwise: list[_Node] = []
            if at < len(pieces) and pieces[at][1] == "else":
                otherwise, at = _nodes(pieces, at + 1, nested=True)
            if at >= len(pieces) or pieces[at][1] != "end":
                raise InvalidArgument(f"template parsing error: {{{{{word}}}}} without its {{{{end}}}}")
            at += 1
            nodes.append((word, expression, body, otherwise))
        else:
            nodes.append((kind, text, [], []))
    if nested:
        raise InvalidArgument("template parsing error: unexpected end: {{end}} is missing")
    return nodes, at


def _fill(nodes: list[_Node], dot: object, root: object) -> str:
    out: list[str] = []
    for kind, payload, body, otherwise in nodes:
        match kind:
            case "text":
                out.append(payload)
            case "action":
                out.append("" if payload.startswith("/*") else show(_evaluate(payload, dot, root)))
            case "range":
                value = _evaluate(payload, dot, root)
                items = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
                if items and not isinstance(items, list):
                    raise InvalidArgument(f"template: cannot range over {payload}")
                elements = items if isinstance(items, list) else []
                out += [_fill(body, item, root) for item in elements] or [_fill(otherwise, dot, root)]
            case _:
                value = _evaluate(payload, dot, root)
                inner = value if kind == "with" else dot
                out.append(_fill(body, inner, root) if value else _fill(otherwise, dot, root))
    return "".join(out)


def _evaluate(text: str, dot: object, root: object) -> object:
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidArgument(f"template parsing error: {text[at:]!r} in {{{{{text}}}}} is not supported")
        tokens.append(match[1])
        at = match.end()
    value = _pipeline(tokens, dot, root)
    if tokens:
        raise InvalidArgument(f"template parsing error: unexpected {tokens[0]!r} in {{{{{text}}}}}")
    return value


def _pipeline(tokens: list[str], dot: object, root: object) -> object:
    value = _call(tokens, dot, root, [])
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        value = _call(tokens, dot, root, [value])
    return value


def _call(tokens: list[str], dot: object, root: object, piped: list[object]) -> object:
    if not tokens:
        raise InvalidArgument("template parsing error: missing value for command")
    name = tokens[0] if tokens[0][0].isalpha() else ""
    if name in {"true", "false", "nil"}:
        name = ""
    if name:
        tokens.pop(0)
        if name not in _FUNCTIONS:
            raise InvalidArgument(f'template parsing error: function "{name}" not defined')
    arguments: list[object] = []
    while tokens and tokens[0] not in {"|", ")"}:
        arguments.append(_operand(tokens, dot, root))
    arguments += piped
    if not name:
        if len(arguments) != 1:
            raise InvalidArgument("template parsing error: a value is no function")
        return arguments[0]
    try:
        return _FUNCTIONS[name](*arguments)
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise InvalidArgument(f"template: error calling {name}: {error}") from error


def _operand(tokens: list[str], dot: object, root: object) -> object:  # noqa: PLR0911  # one for each kind
    token = tokens.pop(0)
    if token == "(":  # noqa: S105  # a parenthesis
        value = _pipeline(tokens, dot, root)
        if not tokens or tokens.pop(0) != ")":
            raise InvalidArgument("template parsing error: unclosed left paren")
        if tokens and tokens[0].startswith(".") and len(tokens[0]) > 1:
            return _field(value, tokens.pop(0)[1:].split("."))
        return value
    if token[0] in '"`':
        return token[1:-1] if token[0] == "`" else re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token[1:-1])
    if token.lstrip("-").isdigit():
        return int(token)
    if token.startswith("$"):
        return _field(root, [part for part in token[1:].split(".") if part])
    if token.startswith("."):
        return _field(dot, [part for part in token.split(".") if part])
    if token in {"true", "false", "nil"}:
        return {"true": True, "false": False}.get(token)
    raise InvalidArgument(f"template parsing error: unexpected {token!r}")


def _field(value: object, path: list[str]) -> object:
    within = ""
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise InvalidArgument(f"template: can't evaluate field {name} in {show(value)!r}")
        if name not in value and within not in _MAPS:
            raise InvalidArgument(f'template: map has no entry for key "{name}"')
        value, within = value.get(name), name
    return value


def show(value: object) -> str:
    """Return a value as Go's templates print it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(show, value)) + "]"
    return str(value)


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "")
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            raise TypeError(f"cannot index {show(value)}")
    return value


def _length(value: object) -> int:
    if not isinstance(value, (dict, list, str)):
        raise TypeError(f"{show(value)} has no length")
    return len(value)


def _texts(value: object) -> list[str]:
    return [show(item) for item in value] if isinstance(value, list) else []


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "json": dumps,
    "upper": lambda value: show(value).upper(),
    "lower": lambda value: show(value).lower(),
    "title": lambda value: show(value).title(),
    "join": lambda value, separator: str(separator).join(_texts(value)),
    "split": lambda value, separator: show(value).split(str(separator)),
    "len": _length,
    "index": _index,
    "println": lambda *values: " ".join(map(show, values)) + "\n",
    "eq": lambda value, *others: value in others,
    "ne": lambda value, other: value != other,
    "not": lambda value: not value,
}
