"""Plain tables as docker's command line prints them (Go's tabwriter, padding 3)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PADDING = 3
_LEAST = 10


def render(rows: Sequence[Sequence[str]], *, least: int = _LEAST) -> str:
    """Return rows of cells as aligned lines; the last cell of a row is not padded.

    Args:
        rows: The first is the header. Rows may differ in length.
        least: The least width of a column with its padding.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max(least, _PADDING + max((len(row[i]) for row in rows if i < len(row)), default=0)) for i in range(columns)
    ]
    lines = ["".join(cell.ljust(widths[i]) for i, cell in enumerate(row[:-1])) + "".join(row[-1:]) for row in rows]
    return "".join(line + "\n" for line in lines)


def ellipsis(text: str, width: int) -> str:
    """Return ``text``, cut to ``width`` characters with an ellipsis for its last."""
    return text if len(text) <= width else text[: width - 1] + "…" if width > 1 else text[:width]


def fit(rows: Sequence[Sequence[str]], width: int, flexible: Sequence[int]) -> list[list[str]]:
    """Return the rows with flexible columns cut so that lines are at most ``width``, where that can be done.

    A column is never cut below its header or 12 characters: a long line is better than one that says nothing.
    """
    cells = [list(row) for row in rows]
    while cells and (excess := max(len(line) for line in render(cells).splitlines()) - width) > 0:
        sizes = {i: max(len(row[i]) for row in cells) for i in flexible if i < len(cells[0])}
        sizes = {i: size for i, size in sizes.items() if size > max(12, len(cells[0][i]))}
        if not sizes:
            break
        widest = max(sizes, key=lambda i: sizes[i])
        target = max(12, len(cells[0][widest]), sizes[widest] - excess)
        for row in cells:
            row[widest] = ellipsis(row[widest], target)
    return cells
