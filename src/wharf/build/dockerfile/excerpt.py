"""Some lines of a Dockerfile, shown as BuildKit shows where something is wrong. Pure."""

from __future__ import annotations

_BORDER = "-" * 20


def excerpt(source: str, filename: str, lines: tuple[int, int]) -> str:
    """Return the lines from the first to the last, marked, between some around them.

    Nothing when the place is unknown, or not in the file.
    """
    wanted, last = lines
    whole = source.split("\n")
    last = min(last, len(whole))
    if not 0 < wanted <= last:
        return ""
    top, bottom = _widened(wanted, last, len(whole))
    shown = [f" {n:3} | {'>>>' if wanted <= n <= last else '   '} {whole[n - 1]}" for n in range(top, bottom + 1)]
    return "\n".join([f"{filename}:{wanted}", _BORDER, *shown, _BORDER, ""])


def _widened(first: int, last: int, count: int) -> tuple[int, int]:
    """Return a range with lines around it: more of them for a single line, more behind where none are before."""
    wanted, added = 4 if first == last else 2, 0
    while added < wanted:
        added += 1 + (first > 1) + (last < count)
        first, last = max(1, first - 1), min(count, last + 1)
    return first, last
