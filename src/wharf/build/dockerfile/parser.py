"""From text to statements: lines joined, comments dropped, here-documents collected. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from wharf.build.dockerfile import heredoc
from wharf.build.dockerfile.arguments import arguments_of, split_line
from wharf.build.dockerfile.directives import DirectiveReader
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.statement import Parsed, Statement, Warned
from wharf.errors import InvalidArgument
from wharf.lib.readable import readable

MAX_BYTES: Final = 16 * 1024 * 1024
_WITH_HEREDOCS: Final = ("add", "copy", "run")


def parse(data: bytes | str) -> Parsed:
    """Return the statements of a Dockerfile.

    Raises:
        DockerfileError: with the line, in BuildKit's words.
    """
    text = data if isinstance(data, str) else data.decode("utf-8", "surrogateescape")
    if len(text) > MAX_BYTES:
        raise DockerfileError(f"the Dockerfile is larger than {MAX_BYTES} bytes")
    reader = _Reader(text.removeprefix("\ufeff"))
    statements = tuple(reader.statements())
    if not statements:
        raise DockerfileError("file with no instructions", (reader.line, reader.line))
    return Parsed(statements, reader.escape, tuple(reader.warnings))


def parse_line(line: str, escape: str = "\\") -> Statement:
    """Return the statement of one line (ONBUILD's triggers are kept as lines).

    Raises:
        InvalidArgument: its arguments are malformed.
    """
    name, flags, rest = split_line(line, escape)
    if name.lower() == "onbuild":
        return Statement(name, line, flags=flags, child=parse_line(rest, escape) if rest else None)
    arguments = arguments_of(name.lower(), rest, escape)
    return Statement(name, line, flags=flags, args=arguments.values, json=arguments.json)


@dataclass(slots=True)
class _Logical:
    """A line with those that continue it."""

    text: str
    start: int
    comments: tuple[str, ...]
    empty_continuation: bool = False


@dataclass(slots=True)
class _Reader:
    text: str
    escape: str = "\\"
    line: int = 0
    warnings: list[Warned] = field(default_factory=list)
    _lines: list[str] = field(init=False)
    _directives: DirectiveReader = field(default_factory=DirectiveReader)
    _continuation: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = _split(self.text)
        self._set_escape("\\")

    def _set_escape(self, escape: str) -> None:
        if escape not in ("\\", "`"):
            raise DockerfileError(f"invalid escape token '{escape}' does not match ` or \\", (self.line, self.line))
        self.escape = escape
        token = re.escape(escape)
        self._continuation = re.compile(rf"(?:(?<=[^{token}])|^){token}[ \t]*\Z")

    def statements(self) -> Iterator[Statement]:
        while (logical := self._logical()) is not None:
            lines = (logical.start, self.line)
            try:
                statement = parse_line(logical.text, self.escape)
                announced = heredoc.in_line(logical.text) if _may_have_heredocs(statement, logical.text) else []
            except DockerfileError:
                raise
            except InvalidArgument as error:
                raise DockerfileError(str(error), lines) from None
            if logical.empty_continuation:
                said = f"Empty continuation line found in: {logical.text}"
                self.warnings.append(Warned("NoEmptyContinuation", self.line, said))
            documents = tuple(one.with_content(self._document(one, logical.start)) for one in announced)
            scripts = [one.content for one in documents if statement.keyword == "run"]  # those of COPY are files
            for text in (logical.text, *scripts):
                if text != readable(text):
                    raise DockerfileError(f"the instruction is not UTF-8: {readable(text)}", lines)
            yield _placed(statement, (logical.start, self.line), documents, logical.comments)

    def _take(self) -> str | None:
        if self.line == len(self._lines):
            return None
        self.line += 1
        return self._lines[self.line - 1]

    def _logical(self) -> _Logical | None:
        comments: list[str] = []
        while (raw := self._take()) is not None:
            line = raw.rstrip("\r\n").lstrip()
            directive = self._directives.take(line)
            if directive is not None:
                if directive.name == "escape":
                    self._set_escape(directive.value)
                continue
            if line.startswith("#"):
                comment = readable(line[1:].strip())
                comments = [*comments, comment] if comment else []
                continue
            text, ends = self._trim(line)
            if not (ends and not text):
                return self._continue(_Logical(text, self.line, tuple(comments)), ends=ends)
        return None

    def _continue(self, logical: _Logical, *, ends: bool) -> _Logical:
        while not ends and (raw := self._take()) is not None:
            line = raw.rstrip("\r\n")
            if line.lstrip().startswith("#"):
                continue
            if not line.strip():
                logical.empty_continuation = True
                continue
            text, ends = self._trim(line)
            logical.text += text
        return logical

    def _trim(self, line: str) -> tuple[str, bool]:
        """Return a line without its continuation character, and whether it ends there."""
        trimmed, count = self._continuation.subn("", line)
        return trimmed, not count

    def _document(self, announced: heredoc.Heredoc, start: int) -> str:
        content = ""
        while (raw := self._take()) is not None:
            line = raw.rstrip("\r\n")
            if (line.lstrip("\t") if announced.chomp else line) == announced.name:
                return content
            content += raw
        raise DockerfileError("unterminated heredoc", (start, self.line))


def _split(text: str) -> list[str]:
    """Return lines with their ends; only a line feed ends one."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _may_have_heredocs(statement: Statement, line: str) -> bool:
    inner = statement.child if statement.keyword == "onbuild" and statement.child else statement
    return "<<" in line and inner.keyword in _WITH_HEREDOCS and not inner.json


def _placed(
    statement: Statement,
    lines: tuple[int, int],
    heredocs: tuple[heredoc.Heredoc, ...],
    comments: tuple[str, ...],
) -> Statement:
    return Statement(
        name=statement.name,
        original=statement.original,
        lines=lines,
        flags=statement.flags,
        args=statement.args,
        json=statement.json,
        heredocs=heredocs,
        comments=comments,
        child=statement.child,
    )
