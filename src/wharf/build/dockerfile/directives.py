"""Parser directives: ``# syntax=``, ``# escape=``, ``# check=`` at the top of a Dockerfile. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from wharf.build.dockerfile.errors import DockerfileError

_FORM: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_KNOWN: Final = ("syntax", "escape", "check")


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive; ``line`` counts from 1."""

    name: str
    value: str
    line: int


class DirectiveReader:
    """Takes lines from the top; once one is no directive, none is looked for any more."""

    def __init__(self, comment: str = "#", line: int = 0) -> None:
        self._comment = comment
        self._line = line
        self._seen: set[str] = set()
        self.done = False

    def take(self, line: str) -> Directive | None:
        """Return the directive that ``line`` is, if it is one.

        Raises:
            DockerfileError: it was given before.
        """
        self._line += 1
        if self.done:
            return None
        match = _FORM.fullmatch(line[len(self._comment) :].strip()) if line.startswith(self._comment) else None
        if match is None or match[1].lower() not in _KNOWN:
            self.done = True
            return None
        name = match[1].lower()
        if name in self._seen:
            raise DockerfileError(f"only one {name} parser directive can be used", (self._line, self._line))
        self._seen.add(name)
        return Directive(name, match[2], self._line)


def find(name: str, text: str, comment: str = "#") -> Directive | None:
    """Return a directive of ``text``; one given twice counts as not there."""
    lines = text.removeprefix("\ufeff").split("\n")
    shebang = lines[0].startswith("#!")
    reader = DirectiveReader(comment, int(shebang))
    for line in lines[int(shebang) :]:
        try:
            found = reader.take(line.rstrip("\r"))
        except DockerfileError:
            return None
        if reader.done:
            return None
        if found is not None and found.name == name:
            return found
    return None


def syntax_of(text: str) -> str:
    """Return the image of the frontend that a text asks for and what stands behind it, "" for none.

    Other languages' files may say it behind ``//`` or as a field of JSON.
    """
    found = find("syntax", text) or find("syntax", text, "//")
    if found is not None:
        return found.value
    if not text.lstrip().startswith("{"):
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    value = document.get("syntax") if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""
