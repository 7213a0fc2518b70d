"""Variables and quotes in the words of a Dockerfile (Dockerfile reference, "Environment replacement"). Pure.

As a shell does it, with ``${name:-word}`` and its kin, but without commands, globs and arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wharf.build.dockerfile import patterns
from wharf.errors import InvalidArgument

_SPECIAL: Final = "@*#?-$!0"
_PLAIN: Final = re.compile(r"[^$<'\"\\`]+")  # the last two are the characters that may escape
_NAME: Final = re.compile(r"[0-9]+|\w+")
_QUOTE_NAMES: Final = {"'": "single-quote", '"': "double-quote"}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept as it is written."""

    escape: str = "\\"
    keep_quotes: bool = False  # quotes stay in the result
    keep_escapes: bool = False  # so do escape characters
    keep_unset: bool = False  # a variable that is not set stays as it is written
    ignore_quotes: bool = False  # quotes are letters like others (texts of heredocs)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text once its variables are replaced."""

    text: str
    words: tuple[str, ...]
    used: frozenset[str]  # variables that had a value
    missing: frozenset[str]  # and those that had none


class Malformed(InvalidArgument):
    """A quote or a brace has no end, or a substitution is none that exists."""


def expand(text: str, environment: Mapping[str, str], rules: Rules = Rules()) -> Expansion:
    """Return ``text`` with its variables replaced and its quotes removed, whole and split into words.

    Raises:
        Malformed: with the text, in BuildKit's words.
    """
    lexer = _Lexer(text, environment, rules)
    try:
        result, words = lexer.until("", keep_escapes=rules.keep_escapes)
    except Malformed as error:
        raise Malformed(f'failed to process "{_quoted(text)}": {error}') from None
    return Expansion(result, tuple(words), frozenset(lexer.used), frozenset(lexer.missing))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


class _Words:
    """Words as they grow: white space ends one unless it was quoted."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._word = ""

    def add(self, text: str) -> None:
        if text[:1].isspace():
            self.end()
        for number, part in enumerate(text.split()):
            if number:
                self.end()
            self._word += part
        if text[-1:].isspace():
            self.end()

    def add_raw(self, text: str) -> None:
        self._word += text

    def end(self) -> None:
        if self._word:
            self.done.append(self._word)
            self._word = ""


class _Lexer:
    def __init__(self, text: str, environment: Mapping[str, str], rules: Rules) -> None:
        self._text = text
        self._at = 0
        self._environment = environment
        self._rules = rules
        self._keep_escapes = rules.keep_escapes
        self.used: set[str] = set()
        self.missing: set[str] = set()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def until(self, stop: str, *, keep_escapes: bool) -> tuple[str, list[str]]:
        """Process up to ``stop``, which is taken; to the end for ""."""
        before, self._keep_escapes = self._keep_escapes, keep_escapes
        try:
            return self._until(stop)
        finally:
            self._keep_escapes = before

    def _until(self, stop: str) -> tuple[str, list[str]]:
        result, words = "", _Words()
        while character := self._peek():
            if plain := self._plain(stop):
                result += plain
                words.add(plain)
                continue
            if character == stop:
                self._at += 1
                break
            piece, raw = self._piece(character)
            result += piece
            if raw:
                words.add_raw(piece)
            else:
                words.add(piece)
        else:
            if stop:
                raise Malformed(f"unexpected end of statement while looking for matching {stop}")
        words.end()
        return result, words.done

    def _plain(self, stop: str) -> str:
        """Take letters that mean nothing but themselves, as many as there are."""
        found = _PLAIN.match(self._text, self._at)
        end = found.end() if found else self._at
        if stop and (stopped := self._text.find(stop, self._at, end)) >= 0:
            end = stopped
        start, self._at = self._at, end
        return self._text[start:end]

    def _piece(self, character: str) -> tuple[str, bool]:
        """Return the next piece, and whether its white space belongs to a word."""
        if character == "$":
            return self._dollar(), False
        if character == "<":
            return self._heredoc(), True
        if character in _QUOTE_NAMES and not self._rules.ignore_quotes:
            return (self._single() if character == "'" else self._double()), True
        self._at += 1
        if character != self._rules.escape:
            return character, False
        return (character if self._keep_escapes else "") + self._next(), True

    def _heredoc(self) -> str:
        """Take ``<<`` with the blanks behind it: they belong to the word that follows."""
        self._at += 1
        if self._peek() != "<":
            return "<"
        self._at += 1
        start = self._at
        while self._peek() and self._peek() in "\t\r ":
            self._at += 1
        return "<<" + self._text[start : self._at]

    def _quote(self, result: str, quote: str) -> str:
        return quote + result + quote if self._rules.keep_quotes else result

    def _single(self) -> str:
        self._at += 1
        end = self._text.find("'", self._at)
        if end < 0:
            raise Malformed("unexpected end of statement while looking for matching single-quote")
        result, self._at = self._text[self._at : end], end + 1
        return self._quote(result, "'")

    def _double(self) -> str:
        self._at += 1
        result = ""
        while character := self._peek():
            if character == '"':
                self._at += 1
                return self._quote(result, '"')
            if character == "$":
                result += self._dollar()
                continue
            self._at += 1
            if character == self._rules.escape:
                result += character if self._keep_escapes else ""
                if not self._peek():
                    continue
                if self._peek() in ('"', "$", self._rules.escape):
                    character = self._next()
                elif self._keep_escapes:
                    continue
            result += character
        raise Malformed("unexpected end of statement while looking for matching double-quote")

    def _name(self) -> str:
        if (character := self._peek()) and character in _SPECIAL and not character.isdigit():
            self._at += 1
            return character
        found = _NAME.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _value(self, name: str) -> str | None:
        value = self._environment.get(name)
        (self.missing if value is None else self.used).add(name)
        return value

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            return f"${name}" if value is None and self._rules.keep_unset else value or ""
        self._at += 1
        if not self._peek():
            raise Malformed("syntax error: missing '}'")
        if self._peek() in "{}:":
            raise Malformed("syntax error: bad substitution")
        return self._substitution(self._name())

    def _substitution(self, name: str) -> str:
        modifier = self._next()
        if modifier == "}":
            value = self._value(name)
            return f"${{{name}}}" if value is None and self._rules.keep_unset else value or ""
        if modifier == "/":
            return self._replacement(name)
        colon = modifier == ":"
        if colon:
            modifier = self._next()
        said = ":" * colon + modifier
        if modifier not in tuple("+-?#%") or (colon and modifier in "#%"):
            raise Malformed(f"unsupported modifier ({said}) in substitution")
        word = self._inside("}", "syntax error: missing '}'", keep_escapes=modifier in "#%")
        value = self._value(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}{said}{word}}}"
        return _substitute(name, value, modifier, word, empty_is_unset=colon)

    def _replacement(self, name: str) -> str:
        every = self._peek() == "/"
        self._at += every
        pattern = self._inside("/", "syntax error: missing '/' in ${}", keep_escapes=True)
        replacement = self._inside("}", "syntax error: missing '}'", keep_escapes=True)
        value = self._value(name)
        if value is None and self._rules.keep_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        try:
            return patterns.replace(value or "", pattern, replacement, every=every)
        except ValueError as error:
            raise Malformed(f"invalid pattern ({pattern}) in substitution: {error}") from None

    def _inside(self, stop: str, missing: str, *, keep_escapes: bool) -> str:
        try:
            return self.until(stop, keep_escapes=keep_escapes)[0]
        except Malformed:
            if not self._peek():
                raise Malformed(missing) from None
            raise


def _substitute(name: str, value: str | None, modifier: str, word: str, *, empty_is_unset: bool) -> str:
    given = value is not None and not (empty_is_unset and not value)
    match modifier:
        case "-":
            return value or "" if given else word
        case "+":
            return word if given else ""
        case "?":
            if not given:
                state = "unset" if value is None else "empty"
                raise Malformed(f"{name}: {word or f'is not allowed to be {state}'}")
            return value or ""
    longest = word.startswith(modifier)
    pattern = word[1:] if longest else word
    cut = patterns.cut_prefix if modifier == "#" else patterns.cut_suffix
    try:
        return cut(value or "", pattern, longest=longest)
    except ValueError as error:
        raise Malformed(f"invalid pattern ({pattern}) in substitution: {error}") from None
