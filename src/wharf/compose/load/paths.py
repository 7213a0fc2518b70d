"""Relative paths of a file's tree made absolute; URLs and names stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable

from wharf.compose.load.files import absolute
from wharf.compose.load.located import Map, Override, Seq
from wharf.compose.load.rules import Rules
from wharf.compose.load.short import WINDOWS_PATH

Resolve = Callable[[object, str], object]
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/|service:|docker-image://|oci-layout://|target:")


def is_remote(path: str) -> bool:
    """Return whether it names something that is no file of this machine."""
    return bool(_REMOTE.match(path))


def _path(value: object, base: str) -> object:
    if not isinstance(value, str) or not value or WINDOWS_PATH.match(value):
        return value
    return absolute(value, base)


def _context(value: object, base: str) -> object:
    return value if isinstance(value, str) and is_remote(value) else _path(value, base)


def _mount(value: object, base: str) -> object:
    if not isinstance(value, Map) or value.get("type") != "bind":
        return value
    changed = Map(value.items(), value.marks)
    changed["source"] = _path(value.get("source"), base)
    return changed


def _driver_options(value: object, base: str) -> object:
    options = value.get("driver_opts") if isinstance(value, Map) else None
    if isinstance(value, Map) and value.get("driver") == "local" and isinstance(options, Map):
        if options.get("o") != "bind" or "device" not in options:
            return value
        changed = Map(value.items(), value.marks)
        changed["driver_opts"] = Map(
            {**options, "device": absolute(str(options["device"]), base)}.items(), options.marks
        )
        return changed
    return value


_RULES: Rules[Resolve] = Rules.of({
    "services.*.build.context": _context,
    "services.*.build.additional_contexts.*": _context,
    "services.*.build.ssh.*": _path,
    "services.*.env_file.[].path": _path,
    "services.*.label_file.[]": _path,
    "services.*.develop.watch.[].path": _path,
    "services.*.volumes.[]": _mount,
    "services.*.pre_start.[].env_file.[].path": _path,
    "configs.*.file": _path,
    "secrets.*.file": _path,
    "volumes.*": _driver_options,
})  # fmt: skip


def resolve_paths(tree: Map, base: str) -> Map:
    """Return the canonical ``tree`` with paths relative to ``base`` made absolute."""

    def walk(value: object, rules: Rules[Resolve]) -> object:
        if isinstance(value, Override):
            return Override(walk(value.value, rules))
        if rules.rule is not None:
            return rules.rule(value, base)
        if isinstance(value, Map):
            return Map(((key, below(item, rules.at(key))) for key, item in value.items()), value.marks)
        if isinstance(value, Seq):
            return Seq((below(item, rules.at(i)) for i, item in enumerate(value)), value.marks)
        return value

    def below(item: object, rules: Rules[Resolve] | None) -> object:
        return item if rules is None else walk(item, rules)

    result = walk(tree, _RULES)
    assert isinstance(result, Map)
    return result
