"""Progress documents of the engine as lines."""

from __future__ import annotations

from wharf.client.documents import as_document, section, text
from wharf.errors import WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


def show_progress(documents: Iterable[object], out: TextIO | None) -> None:
    """Write each document's news to ``out`` as it comes; with None only look for failures.

    On a terminal a line that is only a new count for the same step replaces the one before.

    Raises:
        WharfError: the engine says that it failed.
    """
    open_line = ""
    for item in documents:
        document = as_document(item)
        failure = text(document, "error") or text(section(document, "errorDetail"), "message")
        if failure:
            _end(out, open_line)
            raise WharfError(failure)
        if out is not None:
            open_line = _show(document, out, open_line)
    _end(out, open_line)


def _show(document: dict[str, object], out: TextIO, open_line: str) -> str:
    step, count = text(document, "id"), text(document, "progress")
    news = text(document, "stream") or text(document, "status")
    line = (f"{step}: " if step else "") + news.rstrip("\n") + (f" {count}" if count else "")
    if not line:
        return open_line
    if count and out.isatty():
        out.write(f"\r\033[K{line}")
        out.flush()
        return line
    if open_line:
        out.write("\r\033[K")
    out.write(line + "\n")
    out.flush()
    return ""


def _end(out: TextIO | None, open_line: str) -> None:
    if out is not None and open_line:
        out.write("\n")
