"""Trees that remember where they come from: mappings and sequences with the position of each entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from wharf.errors import InvalidArgument

Path = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a file; lines and columns from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Map(dict[str, object]):
    """A mapping; ``marks`` has the place of each key that came from a file."""

    __slots__ = ("marks",)

    def __init__(self, items: Iterable[tuple[str, object]] = (), marks: dict[str, Mark] | None = None) -> None:
        super().__init__(items)
        self.marks: dict[str, Mark] = marks if marks is not None else {}


class Seq(list[object]):
    """A sequence; ``marks`` has the place of each item, or nothing."""

    __slots__ = ("marks",)

    def __init__(self, items: Iterable[object] = (), marks: list[Mark] | None = None) -> None:
        super().__init__(items)
        self.marks: list[Mark] = marks if marks is not None else []


class Reset:
    """The value of a key tagged ``!reset``: what earlier files said goes."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reset)

    def __hash__(self) -> int:
        return hash(Reset)

    def __repr__(self) -> str:
        return "!reset"


class Override:
    """A value tagged ``!override``: it takes the place of what earlier files said, unmerged."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Override) and self.value == other.value

    def __hash__(self) -> int:
        return hash(Override)

    def __repr__(self) -> str:
        return f"!override {self.value!r}"


class ComposeError(InvalidArgument):
    """A Compose file, or several together, make no project."""


def rebuilt(tree: Map | Seq, change: Callable[[str | int, object], object]) -> Map | Seq:
    """Return a copy with each entry's value replaced by ``change(key, value)``; places are kept."""
    if isinstance(tree, Map):
        return Map(((key, change(key, value)) for key, value in tree.items()), tree.marks)
    return Seq((change(index, value) for index, value in enumerate(tree)), tree.marks)


def mark_at(tree: object, path: Path) -> Mark | None:
    """Return the place of the entry at ``path``, or of the nearest one above it that is known."""
    found: Mark | None = None
    for key in path:
        if isinstance(tree, Override):
            tree = tree.value
        if isinstance(tree, Map) and isinstance(key, str):
            found = tree.marks.get(key, found)
            tree = tree.get(key)
        elif isinstance(tree, Seq) and isinstance(key, int) and key < len(tree):
            found = tree.marks[key] if key < len(tree.marks) else found
            tree = tree[key]
        else:
            break
    return found


def dotted(path: Path) -> str:
    """Return a path as messages write it: ``services.web.ports.0``."""
    return ".".join(map(str, path))


def complaint(tree: object, path: Path, text: str) -> ComposeError:
    """Return the error for ``text``, beginning with its place in a file where that is known."""
    mark = mark_at(tree, path)
    return ComposeError(f"{mark}: {text}" if mark else text)


def settled(tree: object) -> object:
    """Return the tree without marks of merging: what is reset is gone, what overrides is there."""
    if isinstance(tree, Override):
        return settled(tree.value)
    if isinstance(tree, Map):
        kept = [(key, settled(value)) for key, value in tree.items() if not isinstance(value, Reset)]
        return Map(kept, tree.marks)
    if isinstance(tree, Seq):
        pairs = [(settled(item), index) for index, item in enumerate(tree) if not isinstance(item, Reset)]
        marks = [tree.marks[index] for _, index in pairs] if len(tree.marks) == len(tree) else []
        return Seq((item for item, _ in pairs), marks)
    return tree
