"""Progress documents of the engine as lines: each step's its own, renewed in place on a terminal."""

from __future__ import annotations

import os

from wharf.client.documents import as_document, section, text
from wharf.errors import WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

_DEFAULT_ROWS = 24


def show_progress(documents: Iterable[object], out: TextIO | None) -> None:
    """Write each document's news to ``out`` as it comes; with None only look for failures.

    On a terminal each step (a document with an ``id``) has one line, which its later news replace. Elsewhere every
    news is a line, but for mere counts, which are left out.

    Raises:
        WharfError: the engine says that it failed.
    """
    shown = None if out is None else display(out)
    for item in documents:
        document = as_document(item)
        failure = text(document, "error") or text(section(document, "errorDetail"), "message")
        if failure:
            raise WharfError(failure)
        if shown is not None:
            shown.show(document)


def display(out: TextIO) -> Plain | Terminal:
    """Return what shows documents on ``out``."""
    return Terminal(out, _rows(out)) if out.isatty() else Plain(out)


def _rows(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).lines or _DEFAULT_ROWS
    except OSError:
        return _DEFAULT_ROWS


def _line(document: dict[str, object]) -> str:
    step, count = text(document, "id"), text(document, "progress")
    news = text(document, "stream") or text(document, "status")
    return (f"{step}: " if step else "") + news.rstrip("\n") + (f" {count}" if count else "")


class Plain:
    """A file or a pipe."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, document: dict[str, object]) -> None:
        """Write a line, unless it is a mere count."""
        line = _line(document)
        if line and not text(document, "progress"):
            self._out.write(line + "\n")
            self._out.flush()


class Terminal:
    """A terminal: remembers on which line from the bottom each step stands."""

    def __init__(self, out: TextIO, rows: int) -> None:
        self._out = out
        self._rows = rows
        self._lines: list[str] = []  # the step of each line written since the last one without

    def show(self, document: dict[str, object]) -> None:
        """Write a line, or replace its step's."""
        line, step = _line(document), text(document, "id")
        if not line:
            return
        up = len(self._lines) - self._lines.index(step) if step in self._lines else 0
        if up and up < self._rows:
            self._out.write(f"\033[{up}A\r\033[K{line}\033[{up}B\r")
        elif not up:
            self._out.write(line + "\n")
            # News without a step stand for good: what is above them scrolls away and is not renewed.
            self._lines = [*self._lines, step] if step and not _is_header(document) else []
        self._out.flush()


def _is_header(document: dict[str, object]) -> bool:
    """Whether a document names what follows instead of a step of it (``latest: Pulling from ...``)."""
    return "progressDetail" not in document and "progress" not in document
