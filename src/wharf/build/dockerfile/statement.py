"""A statement of a Dockerfile before its instruction is looked at: name, flags, arguments, place. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from wharf.build.dockerfile.heredoc import Heredoc


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, with its continuation lines joined."""

    name: str  # as written
    original: str  # the whole line
    lines: tuple[int, int] = (0, 0)  # the first and the last, from 1
    flags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()  # of ENV and LABEL in threes: name, value, and "=" or "" (the old form)
    json: bool = False  # the arguments were a JSON list
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[str, ...] = ()  # directly above it
    child: Statement | None = None  # of ONBUILD

    @property
    def keyword(self) -> str:
        """The instruction's name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that is read but should not be written so."""

    rule: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole file."""

    statements: tuple[Statement, ...]
    escape: str
    warnings: tuple[Warned, ...]
