"""Command-line flags with the rules and error texts of Docker's: data in, values out, no I/O.

Own code instead of a library: Docker's clients and scripts rely on ``--rm=false``, ``-it``, on ``-p8080:80`` and on
flags ending at the image's name, which click cannot all do; and importing click costs twice a bare interpreter.
"""

from __future__ import annotations

from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.lib.sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


class UsageError(InvalidArgument):
    """The command line is wrong; the usage line belongs to the message."""


class FlagError(UsageError):
    """A flag is unknown, or its value is missing or wrong: exit code 125 for every command, as docker's."""


class Flag:
    """One flag. ``kind`` is bool, string, list, int, uint16, bytes or duration."""

    __slots__ = ("check", "default", "help", "kind", "name", "refusal", "short")

    def __init__(
        self,
        name: str,
        kind: str = "string",
        text: str = "",
        *,
        short: str = "",
        default: object = None,
        refusal: str = "",
        check: Callable[[str], object] | None = None,
    ) -> None:
        """Describe a flag.

        Args:
            name: Long name without dashes.
            kind: What its value is.
            text: Its line in --help; none for one that is taken for the sake of old habits, and not shown.
            short: One letter.
            default: The value when it is not given; by default the kind's zero.
            refusal: Why it is refused, for one that Docker has and Wharf has not.
            check: Raises InvalidArgument for a value that cannot be.
        """
        self.name = name
        self.kind = kind
        self.help = text
        self.short = short
        self.default = _ZEROS[kind] if default is None else default
        self.refusal = refusal
        self.check = _filter if check is None and name == "filter" else check

    @property
    def shown(self) -> bool:
        """Whether --help and completion name it."""
        return bool(self.help) and not self.refusal

    @property
    def title(self) -> str:
        """The flag as messages name it: ``-m, --memory``."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


def _filter(text: str) -> None:
    if not text.partition("=")[1] or not text.partition("=")[0].strip():
        raise InvalidArgument("bad format of filter (expected name=value)")


_ZEROS: dict[str, object] = {
    "bool": False, "string": "", "list": (), "int": 0, "uint16": 0, "bytes": 0, "duration": 0,
}  # fmt: skip


def one_of(words: Sequence[str]) -> Callable[[str], None]:
    """Return a check that refuses all but some words."""

    def check(text: str) -> None:
        if text not in words:
            raise InvalidArgument(f"choose one of {', '.join(words)}")

    return check


class Values:
    """What was given on a command line, by flag name; typed reads, defaults filled in."""

    __slots__ = ("_flags", "_given")

    def __init__(self, flags: Sequence[Flag]) -> None:
        self._flags = {flag.name: flag for flag in flags}
        self._given: dict[str, object] = {}

    def set(self, flag: Flag, text: str) -> None:
        """Take one occurrence of a flag.

        Raises:
            UsageError: the value is not of the flag's kind.
        """
        try:
            value = _convert(flag, text)
            if flag.check is not None:
                flag.check(text)
        except (InvalidArgument, ValueError) as error:
            raise FlagError(f'invalid argument "{text}" for "{flag.title}" flag: {error}') from error
        if flag.kind == "list":
            value = (*self.items(flag.name), text)
        self._given[flag.name] = value

    def given(self, name: str) -> bool:
        """Whether the flag was on the command line."""
        return name in self._given

    def _value(self, name: str) -> object:
        return self._given.get(name, self._flags[name].default if name in self._flags else None)

    def on(self, name: str) -> bool:
        """The value of a bool; False for a flag that this command does not have."""
        return bool(self._value(name))

    def text(self, name: str) -> str:
        """The value of a string; empty for a flag that this command does not have."""
        return str(self._value(name) or "")

    def number(self, name: str) -> int:
        """The value of an int, bytes or duration; 0 for a flag that this command does not have."""
        value = self._value(name)
        return value if isinstance(value, int) else 0

    def items(self, name: str) -> list[str]:
        """The values of a list; empty for a flag that this command does not have."""
        value = self._value(name)
        return list(value) if isinstance(value, tuple) else []


def _convert(flag: Flag, text: str) -> object:
    match flag.kind:
        case "bool":
            return _bool(text)
        case "int":
            return _int(text, -(2**63), 2**63 - 1)
        case "uint16":
            return _int(text, 0, 65535)
        case "bytes":
            return -1 if text == "-1" else parse_size(text)
        case "duration":
            return parse_duration(text)
        case _:
            return text


def _bool(text: str) -> bool:
    if text not in _TRUE and text not in _FALSE:
        raise InvalidArgument(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _int(text: str, low: int, high: int) -> int:
    function = "ParseUint" if low == 0 else "ParseInt"
    if not text.removeprefix("-" if low else "").isdecimal() or not text.isascii():
        raise InvalidArgument(f'strconv.{function}: parsing "{text}": invalid syntax')
    value = int(text)
    if not low <= value <= high:
        raise InvalidArgument(f'strconv.{function}: parsing "{text}": value out of range')
    return value


def parse(flags: Sequence[Flag], arguments: Sequence[str], *, interspersed: bool = True) -> tuple[Values, list[str]]:
    """Split a command line into flags and the rest.

    Args:
        flags: What the command knows.
        arguments: The words after the command's name.
        interspersed: Whether flags may follow the first other word; ``run`` and ``exec`` leave those alone.

    Raises:
        UsageError: an unknown flag, a missing or a wrong value, a flag that is refused.
    """
    values = Values(flags)
    words = list(arguments)
    rest: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--":
            return values, rest + words
        if word.startswith("--"):
            _long(flags, values, word[2:], words)
        elif word.startswith("-") and len(word) > 1:
            _short(flags, values, word[1:], words)
        elif interspersed:
            rest.append(word)
        else:
            return values, [*rest, word, *words]
    return values, rest


def _accept(values: Values, flag: Flag, text: str) -> None:
    if flag.refusal:
        raise FlagError(f"--{flag.name} is not supported here: {flag.refusal}")
    values.set(flag, text)


def _long(flags: Sequence[Flag], values: Values, word: str, words: list[str]) -> None:
    name, separator, text = word.partition("=")
    flag = next((flag for flag in flags if flag.name == name), None)
    if flag is None:
        raise FlagError(f"unknown flag: --{name}")
    if not separator and flag.kind == "bool":
        text = "true"
    elif not separator:
        if not words:
            raise FlagError(f"flag needs an argument: --{name}")
        text = words.pop(0)
    _accept(values, flag, text)


def _short(flags: Sequence[Flag], values: Values, letters: str, words: list[str]) -> None:
    whole = letters
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            raise FlagError(f"unknown shorthand flag: '{letter}' in -{whole}")
        if flag.kind == "bool" and not letters.startswith("="):
            _accept(values, flag, "true")
            continue
        if not letters and not words:
            raise FlagError(f"flag needs an argument: '{letter}' in -{whole}")
        _accept(values, flag, letters.removeprefix("=") if letters else words.pop(0))
        return
