"""A Compose file's text with the files that it names under other names, and else as it is written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Rename = Callable[[str], str | None]
"""A path as it is written → what is written instead; None for what stays."""


@dataclass(slots=True)
class Renames:
    """What is done about each kind of path."""

    env_file: Rename
    extends: Rename


@dataclass(slots=True)
class _Edits:
    spans: dict[int, tuple[int, str]] = field(default_factory=dict)  # start -> (end, new text)

    def rename(self, node: Node | None, rename: Rename) -> None:
        if isinstance(node, ScalarNode):
            new = rename(node.value)
            if new is not None:
                self.spans[node.start_mark.index] = (node.end_mark.index, new)

    def applied(self, text: str) -> str:
        for start, (end, new) in sorted(self.spans.items(), reverse=True):
            text = text[:start] + new + text[end:]
        return text


def rewritten(text: str, renames: Renames) -> str:
    """Return the text with the paths of ``env_file`` and ``extends.file`` renamed.

    Args:
        text: A Compose file that was loaded without complaint.
        renames: Asked for each such path.
    """
    edits = _Edits()
    for service in _services(text):
        for path in _env_files(_value(service, "env_file")):
            edits.rename(path, renames.env_file)
        edits.rename(_value(_value(service, "extends"), "file"), renames.extends)
    return edits.applied(text)


def included(text: str) -> list[str]:
    """Return the paths that a file includes."""
    found: list[str] = []
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        for entry in _items(_value(document, "include")):
            paths = _value(entry, "path") if isinstance(entry, MappingNode) else entry
            found += [one.value for one in _items(paths) if isinstance(one, ScalarNode) and one.value]
    return found


def _services(text: str) -> Iterator[Node]:
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        services = _value(document, "services")
        if isinstance(services, MappingNode):
            yield from (value for _, value in services.value)


def _env_files(node: Node | None) -> Iterator[Node | None]:
    for entry in _items(node):
        yield _value(entry, "path") if isinstance(entry, MappingNode) else entry


def _items(node: Node | None) -> list[Node]:
    if isinstance(node, SequenceNode):
        return list(node.value)
    return [] if node is None else [node]


def _value(node: Node | None, key: str) -> Node | None:
    """Return a mapping's entry, its own or one that it merges (``<<``)."""
    if not isinstance(node, MappingNode):
        return None
    for name, value in node.value:
        if isinstance(name, ScalarNode) and name.value == key:
            return value if isinstance(value, Node) else None
    for name, value in node.value:
        if isinstance(name, ScalarNode) and name.value == "<<":
            for merged in _items(value):
                found = _value(merged, key)
                if found is not None:
                    return found
    return None
