"""Variables in values: ``$NAME``, ``${NAME}`` and every modifier (compose-spec 12-interpolation.md).

====================  =====================================================
``${N:-word}``        word when N is unset or empty; ``${N-word}``: unset
``${N:?word}``        fail with word when N is unset or empty; ``?``: unset
``${N:+word}``        word when N is set and not empty; ``+``: set
``$$``                a dollar sign
====================  =====================================================

Words may have variables in them. A dollar sign before anything else stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from wharf.compose.load.located import Map, Override, Path, Seq, complaint, dotted, rebuilt
from wharf.errors import InvalidArgument

Lookup = Callable[[str], str | None]
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_MODIFIERS = (":-", ":?", ":+", "-", "?", "+")


class Environment:
    """Variables to look up; remembers in ``missing`` which were asked for in vain."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.missing: dict[str, None] = {}

    def __call__(self, name: str) -> str | None:
        """Return a variable's value, None where it is unset."""
        return self.variables.get(name)


def substitute(text: str, lookup: Lookup, missing: Callable[[str], object] | None = None) -> str:
    """Return ``text`` with its variables replaced.

    Args:
        text: What was written.
        lookup: A variable's value, None where it is unset.
        missing: Told of each variable that is unset and has no default.

    Raises:
        InvalidArgument: a brace is not closed, a modifier is unknown, or a required variable is missing.
    """
    out: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0:
        out.append(text[at:dollar])
        piece, at = _variable(text, dollar + 1, lookup, missing)
        out.append(piece)
    out.append(text[at:])
    return "".join(out)


def _variable(text: str, at: int, lookup: Lookup, missing: Callable[[str], object] | None) -> tuple[str, int]:
    """Return what stands for the variable that begins after a dollar sign, and where the text goes on."""
    if text.startswith("$", at):
        return "$", at + 1
    if text.startswith("{", at):
        end = _closing(text, at + 1)
        return _braced(text[at + 1 : end], lookup, missing), end + 1
    name = _NAME.match(text, at)
    if name is None:
        return "$", at
    return _plain(name[0], lookup, missing), name.end()


def _closing(text: str, at: int) -> int:
    depth = 1
    start = at
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        if text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    raise InvalidArgument(f"invalid interpolation format: ${{{text[start:]}")


def _plain(name: str, lookup: Lookup, missing: Callable[[str], object] | None) -> str:
    value = lookup(name)
    if value is None and missing is not None:
        missing(name)
    return value or ""


def _braced(inner: str, lookup: Lookup, missing: Callable[[str], object] | None) -> str:
    match = _NAME.match(inner)
    if match is None:
        raise InvalidArgument(f"invalid interpolation format: ${{{inner}}}")
    name, rest = match[0], inner[match.end() :]
    if not rest:
        return _plain(name, lookup, missing)
    modifier = next((modifier for modifier in _MODIFIERS if rest.startswith(modifier)), None)
    if modifier is None:
        raise InvalidArgument(f"invalid interpolation format: ${{{inner}}}")
    word = rest[len(modifier) :]
    value = lookup(name)
    there = bool(value) if modifier[0] == ":" else value is not None
    if modifier[-1] == "+":
        return substitute(word, lookup, missing) if there else ""
    if there:
        return value or ""
    word = substitute(word, lookup, missing)
    if modifier[-1] == "?":
        raise InvalidArgument(f"required variable {name} is missing a value" + (f": {word}" if word else ""))
    return word


def interpolate(tree: Map, environment: Environment) -> Map:
    """Return ``tree`` with the variables in all its values replaced; keys stay as they are.

    Raises:
        ComposeError: a value cannot be interpolated; with its place.
    """

    def missing(name: str) -> None:
        environment.missing[name] = None

    def walk(value: object, path: Path) -> object:
        if isinstance(value, str):
            return replaced(value, path) if "$" in value else value
        if isinstance(value, Override):
            return Override(walk(value.value, path))
        if isinstance(value, (Map, Seq)):
            return rebuilt(value, lambda key, item: walk(item, (*path, key)))
        return value

    def replaced(text: str, path: Path) -> str:
        try:
            return substitute(text, environment, missing)
        except InvalidArgument as error:
            where = dotted(path)
            if "required variable" in str(error):
                said = f"error while interpolating {where}: {error}"
            else:
                said = (
                    f"invalid interpolation format for {where}.\nYou may need to escape any $ with another $.\n{text}"
                )
            raise complaint(tree, path, said) from error

    result = walk(tree, ())
    assert isinstance(result, Map)
    return result


def variables_in(tree: object) -> dict[str, tuple[str, bool, str]]:
    """Return the variables that a tree's texts use: name → (default, required, alternative)."""
    found: dict[str, tuple[str, bool, str]] = {}

    def note(text: str) -> None:
        for match in re.finditer(r"(?<!\$)(?:\$\$)*\$(?:\{([_a-zA-Z]\w*)([^}]*)\}?|([_a-zA-Z]\w*))", text):
            name, rest = match[1] or match[3], match[2] or ""
            modifier = next((m for m in _MODIFIERS if rest.startswith(m)), "")
            word = rest[len(modifier) :]
            kind = modifier[-1:]
            default = word if kind == "-" else ""
            found.setdefault(name, (default, kind == "?", word if kind == "+" else ""))
            note(word)

    def walk(value: object) -> None:
        if isinstance(value, str):
            note(value)
        elif isinstance(value, Override):
            walk(value.value)
        elif isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(tree)
    return found
