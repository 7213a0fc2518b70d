"""Here-documents: ``<<WORD`` in a statement, and the lines that follow it (Dockerfile reference). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from wharf.build.dockerfile.words import Malformed, Rules, expand

_WORD: Final = re.compile(r"(\d*)<<(-?)\s*([^<]*)")
_TABS: Final = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One here-document; ``content`` has its lines as they are written."""

    name: str
    expand: bool  # no part of the word was quoted
    chomp: bool  # <<-: tabs at the start of lines go
    descriptor: int = 0
    content: str = ""

    @property
    def text(self) -> str:
        """Its content as meant: without leading tabs where they go."""
        return _TABS.sub("", self.content) if self.chomp else self.content

    def with_content(self, content: str) -> Heredoc:
        """Return it with the lines that follow it."""
        return replace(self, content=content)


def parse_word(word: str) -> Heredoc | None:
    """Return the here-document that one word begins, None when it begins none.

    Raises:
        Malformed: a quote in it has no end.
    """
    match = _WORD.fullmatch(word)
    if match is None or not match[3]:
        return None
    plain = expand(match[3], {}, Rules(keep_unset=True)).words
    if len(plain) != 1:
        return None
    quoted = expand(match[3], {}, Rules(keep_unset=True, keep_quotes=True)).words
    return Heredoc(plain[0], _quotes(plain[0]) == _quotes(quoted[0]), bool(match[2]), int(match[1] or 0))


def in_line(line: str) -> list[Heredoc]:
    """Return the here-documents that a statement announces, in the order in which their lines follow.

    Raises:
        Malformed: as :func:`parse_word`.
    """
    try:
        words = expand(line, {}, Rules(keep_quotes=True, keep_escapes=True, keep_unset=True)).words
    except Malformed:
        return []
    return [found for word in words if (found := parse_word(word)) is not None]


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
