"""``wharf images --tree``: names, and below each the images for its platforms. Pure."""

from __future__ import annotations

from wharf.client.documents import as_document, as_documents, number, text, texts
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wharf.client.documents import Document

_SPACE = "   "
_LEAST_NAME = 12
_TITLES = ("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "USED")
_WIDTHS = (0, 12, 10, 12, 4)
_ALIGN = (str.ljust, str.ljust, str.rjust, str.rjust, str.center)
_MARK = "✔"

Line = tuple[str, ...]
"""The cells of a line; one cell alone is a further name of the image whose last name follows."""


def tree_lines(images: Iterable[Document]) -> list[list[Line]]:
    """Return the lines of each image, the newest image first."""
    newest_first = sorted(images, key=lambda image: number(image, "Created"), reverse=True)
    return [_lines(image) for image in newest_first]


def _lines(image: Document) -> list[Line]:
    children = [one for one in as_documents(image.get("Manifests")) if one.get("Kind") == "image"]
    below = [_child(one) for one in children]
    content = sum(number(as_document(one.get("Size")), "Content") for one in children)
    used = any(line[-1] for line in below) or number(image, "Containers") > 0
    *more, last = texts(image, "RepoTags") or ["<untagged>"]
    top = (last, _short(text(image, "Id")), _size(number(image, "Size")), _size(content), _MARK if used else "")
    marks = ["├─ "] * (len(below) - 1) + ["└─ "]
    return [*((name,) for name in more), top, *((mark + line[0], *line[1:]) for mark, line in zip(marks, below))]  # noqa: B905  # no child, no mark


def _child(manifest: Document) -> Line:
    size, data = as_document(manifest.get("Size")), as_document(manifest.get("ImageData"))
    platform = as_document(data.get("Platform"))
    name = "/".join(part for key in ("os", "architecture", "variant") if (part := text(platform, key)))
    used = _MARK if data.get("Containers") else ""
    return name, _short(text(manifest, "ID")), _size(number(size, "Total")), _size(number(size, "Content")), used


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _size(size_bytes: int) -> str:
    return human_size(size_bytes, digits=3)


def render_tree(groups: Sequence[Sequence[Line]], width: int) -> str:
    """Return lines as a table that is at most ``width`` columns wide: names are cut, and then columns left out."""
    shown, room = 1, max(width, 20)
    for each in _WIDTHS[1:]:
        if room - each - len(_SPACE) < _LEAST_NAME:
            break
        room -= each + len(_SPACE)
        shown += 1
    widest = max([len(_TITLES[0]), *(len(line[0]) for group in groups for line in group)])
    widths = (min(room, widest), *_WIDTHS[1:])

    def row(line: Line) -> str:
        cells = [_ALIGN[i](_cut(cell, widths[i]), widths[i]) for i, cell in enumerate(line[:shown])]
        return _SPACE.join(cells).rstrip() + "\n"

    return "\n".join(["".join(map(row, group)) for group in [[_TITLES, *(groups[0] if groups else ())], *groups[1:]]])


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else cell[: width - 3] + "..."
