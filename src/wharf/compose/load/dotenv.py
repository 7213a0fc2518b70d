"""``.env`` and ``env_file`` texts: names and values, quotes, comments and variables of what came before."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wharf.compose.load.interpolate import Lookup, substitute
from wharf.compose.load.located import ComposeError
from wharf.errors import InvalidArgument

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.\-\[\]]+)[ \t]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "b": "\b", "v": "\v", "a": "\a", "$": "$$"}


def parse_dotenv(text: str, file: str, known: Mapping[str, str]) -> dict[str, str | None]:
    """Return names and values; None for a name without one that ``known`` has not either.

    Args:
        text: The file's text.
        file: Its name, for errors.
        known: Variables from outside; they go before those of the file when values use them.

    Raises:
        ComposeError: a line is no variable; with file and line.
    """
    return _Reader(text, file, known).read()


def parse_raw(text: str) -> dict[str, str | None]:
    """Return the variables of an ``env_file`` of format ``raw``: as written, no quotes, no variables."""
    found: dict[str, str | None] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            name, separator, value = line.partition("=")
            found[name.strip()] = value if separator else None
    return found


class _Reader:
    def __init__(self, text: str, file: str, known: Mapping[str, str]) -> None:
        self._text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._file = file
        self._known = known
        self._at = 0
        self._found: dict[str, str | None] = {}

    def read(self) -> dict[str, str | None]:
        while self._skip_blank():
            match = _NAME.match(self._text, self._at)
            if match is None:
                raise self._fail(f"unexpected character {self._text[self._at]!r} in variable name")
            self._at = match.end()
            self._found[match[1]] = self._after_name(match[1])
        return self._found

    def _fail(self, text: str) -> ComposeError:
        line = self._text.count("\n", 0, self._at) + 1
        return ComposeError(f"{self._file}:{line}: {text}")

    def _skip_blank(self) -> bool:
        """Go to the next line that says something; False at the end."""
        while self._at < len(self._text):
            if self._text[self._at] in " \t\n\r":
                self._at += 1
            elif self._text[self._at] == "#":
                self._line_end()
            else:
                return True
        return False

    def _line_end(self) -> str:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        line, self._at = self._text[self._at : end], end
        return line

    def _after_name(self, name: str) -> str | None:
        sign = self._text[self._at : self._at + 1]
        if sign not in {"=", ":"}:
            rest = self._line_end().strip()
            if rest and not rest.startswith("#"):
                raise self._fail(f"unexpected text after variable name {name!r}: {rest!r}")
            return self._known.get(name)
        self._at += 1
        while self._text[self._at : self._at + 1] in {" ", "\t"}:
            self._at += 1
        quote = self._text[self._at : self._at + 1]
        if quote in {"'", '"'}:
            return self._quoted(quote)
        line = self._line_end()
        value = "" if line.startswith("#") else re.split(r"\s#", line, maxsplit=1)[0].rstrip()
        return self._expanded(value)

    def _quoted(self, quote: str) -> str:
        start = self._at
        end = start + 1
        while end < len(self._text) and self._text[end] != quote:
            end += 2 if self._text[end] == "\\" else 1
        if end >= len(self._text):
            raise self._fail(f"unterminated quoted value {self._text[start:].splitlines()[0]}")
        value, self._at = self._text[start + 1 : end], end + 1
        rest = self._line_end().strip()
        if rest and not rest.startswith("#"):
            raise self._fail(f"unexpected text after a quoted value: {rest!r}")
        if quote == "'":
            return value
        return self._expanded(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), value, flags=re.DOTALL))

    def _expanded(self, value: str) -> str:
        lookup: Lookup = lambda name: self._known.get(name, self._found.get(name))  # noqa: E731
        try:
            return substitute(value, lookup)
        except InvalidArgument as error:
            raise self._fail(str(error)) from error
