"""From the complete tree to the typed project; types that do not fit are told with their place."""

from __future__ import annotations

import re

import msgspec

from wharf.compose.load.located import ComposeError, Map, Path, complaint, dotted
from wharf.compose.model.base import EXTENSIONS, Part, convert
from wharf.compose.model.project import FileObject, Model, Network, Project, Volume
from wharf.compose.model.service import Service

# Below these, keys are names that people choose, and may begin with x-.
_NAMED = frozenset({
    "services", "networks", "volumes", "secrets", "configs", "models", "depends_on", "environment", "labels",
    "annotations", "args", "options", "driver_opts", "sysctls", "additional_contexts",
})  # fmt: skip
_PARTS: dict[str, type[Part]] = {
    "services": Service, "networks": Network, "volumes": Volume, "secrets": FileObject, "configs": FileObject,
    "models": Model,
}  # fmt: skip
_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]|\[\.\.\.\]")


def to_project(tree: Map) -> Project:
    """Return the typed project.

    Raises:
        ComposeError: a value is of the wrong type; with its place.
    """
    document = _gathered(tree, named=False)
    assert isinstance(document, dict)
    services = document.get("services")
    if isinstance(services, dict):
        for name, service in services.items():
            service["#name"] = name
    try:
        return convert(document, Project)
    except msgspec.ValidationError as error:
        # The error does not name the keys of mappings: whose it is shows when each is read alone.
        raise _found(tree, document) or _explained(tree, (), error) from error


def _found(tree: Map, document: dict[str, object]) -> ComposeError | None:
    for kind, part in _PARTS.items():
        below = document.get(kind)
        for name, one in below.items() if isinstance(below, dict) else ():
            try:
                convert(one, part)
            except msgspec.ValidationError as error:
                return _explained(tree, (kind, name), error)
    return None


def _explained(tree: Map, path: Path, error: msgspec.ValidationError) -> ComposeError:
    said, _, where = str(error).partition(" - at `$")
    steps = [int(m[2]) if m[2] else m[1] for m in _STEP.finditer(where.rstrip("`")) if m[1] or m[2]]
    whole = (*path, *steps)
    return complaint(tree, whole, f"{dotted(whole)}: {said[:1].lower()}{said[1:]}")


def _gathered(value: object, *, named: bool) -> object:
    """Return plain containers, with ``x-`` entries moved together."""
    if isinstance(value, dict):
        out: dict[str, object] = {}
        extensions: dict[str, object] = {}
        for key, item in value.items():
            if key.startswith("x-") and not named:
                extensions[key] = _bare(item)
            else:
                out[key] = _gathered(item, named=key in _NAMED and not named)
        if extensions:
            out[EXTENSIONS] = extensions
        return out
    if isinstance(value, list):
        return [_gathered(item, named=False) for item in value]
    return value


def _bare(value: object) -> object:
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list) else value
