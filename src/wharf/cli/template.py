"""``--format``: Go's text/template, without what only programs need (blocks, methods).

Actions are ``{{...}}``; a minus inside the braces trims white space. Known are ``.Field.Sub``, ``$.Field``, variables
(``$x := ...``), quoted texts, numbers, parentheses, pipes, ``range`` (with ``$key, $value :=``), ``if``, ``with``,
``else``, ``else if``, ``end``, comments, and the functions of :mod:`wharf.cli.template_functions`. Anything else is
refused by name.
"""

from __future__ import annotations

import re

from wharf.cli.rows import Row
from wharf.cli.template_functions import FUNCTIONS, show
from wharf.errors import InvalidArgument

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+|\$\w*(?:\.[\w.]*)?|\.[\w.]*|[A-Za-z_]\w*|[()|])')
_SET = re.compile(r"\$(\w+)\s*:?=\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"\$(\w+)\s*,\s*\$(\w+)\s*:=\s*(.*)", re.DOTALL)
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
    return _fill(nodes, value, {"": value})


def check(template: str) -> None:
    """Refuse a template that is malformed; InvalidArgument says why."""
    _nodes(_pieces(template), 0, nested=False)


# A node is (kind, payload, body, otherwise). A scope is the variables by name; "" is $, the whole value.
_Scope = dict[str, object]
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
                raise InvalidArgument("template parsing error: template: :1: unclosed action")
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
            node, at = _branch(pieces, at, word, expression)
            nodes.append(node)
        else:
            nodes.append((kind, text, [], []))
    if nested:
        raise InvalidArgument("template parsing error: unexpected end: {{end}} is missing")
    return nodes, at


def _branch(pieces: list[tuple[str, str]], at: int, word: str, expression: str) -> tuple[_Node, int]:
    """Read a range, an if or a with up to its end; an ``else if`` is an if inside, which shares that end."""
    body, at = _nodes(pieces, at, nested=True)
    otherwise: list[_Node] = []
    closing = pieces[at][1] if at < len(pieces) else ""
    if closing == "else":
        otherwise, at = _nodes(pieces, at + 1, nested=True)
    elif closing.startswith(("else if ", "else with ")):
        _, inner, condition = closing.split(" ", 2)
        node, at = _branch(pieces, at + 1, inner, condition)
        return (word, expression, body, [node]), at
    if at >= len(pieces) or pieces[at][1] != "end":
        raise InvalidArgument(f"template parsing error: {{{{{word}}}}} without its {{{{end}}}}")
    return (word, expression, body, otherwise), at + 1


def _fill(nodes: list[_Node], dot: object, scope: _Scope) -> str:
    out: list[str] = []
    for kind, payload, body, otherwise in nodes:
        match kind:
            case "text":
                out.append(payload)
            case "action":
                out.append(_act(payload, dot, scope))
            case "range":
                out += _repeat(payload, body, dot, scope) or [_fill(otherwise, dot, {**scope})]
            case _:
                inner = {**scope}
                value = _assigned(payload, dot, inner)
                chosen = value if kind == "with" else dot
                out.append(_fill(body, chosen, inner) if value else _fill(otherwise, dot, inner))
    return "".join(out)


def _act(payload: str, dot: object, scope: _Scope) -> str:
    if payload.startswith("/*"):
        return ""
    value = _assigned(payload, dot, scope)
    return "" if _SET.fullmatch(payload) else show(value)


def _assigned(payload: str, dot: object, scope: _Scope) -> object:
    """Return the value of an expression; of ``$x := expression``, after it was noted in ``scope``."""
    match = _SET.fullmatch(payload)
    if match is None:
        return _evaluate(payload, dot, scope)
    scope[match[1]] = _evaluate(match[2], dot, scope)
    return scope[match[1]]


def _repeat(payload: str, body: list[_Node], dot: object, scope: _Scope) -> list[str]:
    key_name, value_name, expression = "", "", payload
    if match := _RANGE.fullmatch(payload):
        key_name, value_name, expression = match.groups()
    elif match := _SET.fullmatch(payload):
        value_name, expression = match.groups()
    value = _evaluate(expression, dot, scope)
    pairs: list[tuple[object, object]]
    if isinstance(value, dict):
        pairs = [(key, value[key]) for key in sorted(value)]
    elif isinstance(value, list) or not value:
        pairs = list(enumerate(value if isinstance(value, list) else []))
    else:
        raise InvalidArgument(f"template: cannot range over {payload}")
    named = [(key_name, 0), (value_name, 1)]
    return [_fill(body, pair[1], {**scope, **{name: pair[i] for name, i in named if name}}) for pair in pairs]


def _evaluate(text: str, dot: object, scope: _Scope) -> object:
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidArgument(f"template parsing error: {text[at:]!r} in {{{{{text}}}}} is not supported")
        tokens.append(match[1])
        at = match.end()
    value = _pipeline(tokens, dot, scope)
    if tokens:
        raise InvalidArgument(f"template parsing error: unexpected {tokens[0]!r} in {{{{{text}}}}}")
    return value


def _pipeline(tokens: list[str], dot: object, scope: _Scope) -> object:
    value = _call(tokens, dot, scope, [])
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        value = _call(tokens, dot, scope, [value])
    return value


def _call(tokens: list[str], dot: object, scope: _Scope, piped: list[object]) -> object:
    if not tokens:
        raise InvalidArgument("template parsing error: missing value for command")
    name = tokens[0] if tokens[0][0].isalpha() else ""
    if name in {"true", "false", "nil"}:
        name = ""
    if name:
        tokens.pop(0)
        if name not in FUNCTIONS:
            raise InvalidArgument(f'template parsing error: function "{name}" not defined')
    arguments: list[object] = []
    while tokens and tokens[0] not in {"|", ")"}:
        arguments.append(_operand(tokens, dot, scope))
    arguments += piped
    if not name:
        if len(arguments) != 1:
            raise InvalidArgument("template parsing error: a value is no function")
        return arguments[0]
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise InvalidArgument(f"template: error calling {name}: {error}") from error


def _operand(tokens: list[str], dot: object, scope: _Scope) -> object:  # noqa: PLR0911  # one for each kind
    token = tokens.pop(0)
    if token == "(":  # noqa: S105  # a parenthesis
        value = _pipeline(tokens, dot, scope)
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
        name, *path = token[1:].split(".")
        if name not in scope:
            raise InvalidArgument(f"template parsing error: undefined variable ${name}")
        return _field(scope[name], [part for part in path if part])
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
        key = name if name in value else _spelt(name, value)
        if key not in value and within not in _MAPS:
            raise InvalidArgument(f'template: map has no entry for key "{name}"')
        value, within = value.get(key), name
    return value


def _spelt(name: str, document: dict[str, object]) -> str:
    """Return a field's name in JSON for Go's, which templates may use too: ``APIVersion`` is ``ApiVersion``."""
    if isinstance(document, Row) or not name[:2].isupper():
        return name
    return next((key for key in document if key.lower() == name.lower()), name)
