"""``builder`` of daemon.json: what clients may grant their builds, and what is kept of builds (dockerd). Pure.

What cannot be is TypeError or ValueError: who reads settings says which one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from wharf.engine.options import KEPT_BUILDS_BYTES, BuildRule
from wharf.lib.durations import parse_duration
from wharf.lib.sizes import parse_size

_ENTITLEMENTS: Final = ("network-host", "security-insecure")
_RESERVED: Final = ("keepStorage", "reservedSpace")  # the older name first: the newer one wins
_OLD: Final = "720h"
_FILTERS: Final = frozenset(
    {"until", "unused-for", "id", "parent", "type", "description", "inuse", "shared", "private"}
)
_NS: Final = 1_000_000_000


def read_builder(given: object) -> dict[str, Any]:
    """Return ``entitlements``, by name; ``rules``, None where all is kept for good; ``entries`` and ``age_ns``.

    What is not said is not there.
    """
    fields = _fields(given, {"entitlements", "gc", "history"})
    entitlements = _fields(fields.get("entitlements", {}), set(_ENTITLEMENTS))
    found: dict[str, Any] = {"entitlements": {name: _truth(allowed) for name, allowed in entitlements.items()}}
    if "gc" in fields:
        found["rules"] = _rules(fields["gc"])
    history = _fields(fields.get("history", {}), {"maxAge", "maxEntries"})
    if "maxEntries" in history:
        found["entries"] = _count(history["maxEntries"])
    if "maxAge" in history:
        found["age_ns"] = _age_ns(history["maxAge"])
    return found


def default_rules(reserved: int = 0, most: int = 0, free: int = 0) -> tuple[BuildRule, ...]:
    """Return what an engine keeps by itself: what was used of late, and so much of that; 0 for the usual."""
    usual = KEPT_BUILDS_BYTES if not (reserved or most or free) else 0
    return (BuildRule(filters={"unused-for": (_OLD,)}), BuildRule(reserved or usual, most, free))


def _rules(given: object) -> tuple[BuildRule, ...] | None:
    names = {"enabled", "policy", "defaultMaxUsedSpace", "defaultMinFreeSpace"}
    fields = _fields(given, names | {f"default{_capital(name)}" for name in _RESERVED})
    enabled = _truth(fields.get("enabled", True))
    policy = fields.get("policy")
    rules = None if policy is None else tuple(_rule(one) for one in _list(policy))
    default = {name.removeprefix("default"): value for name, value in fields.items() if name.startswith("default")}
    usual = default_rules(
        _reserved(default, _capital), _size(default.get("MaxUsedSpace", 0)), _size(default.get("MinFreeSpace", 0))
    )
    return None if not enabled else usual if rules is None else rules


def _rule(given: object) -> BuildRule:
    fields = _fields(given, {"all", "filter", "maxUsedSpace", "minFreeSpace", *_RESERVED})
    _truth(fields.get("all", False))  # of kinds of results: here all are of one
    return BuildRule(
        _reserved(fields, str),
        _size(fields.get("maxUsedSpace", 0)),
        _size(fields.get("minFreeSpace", 0)),
        _filters(fields.get("filter", [])),
    )


def _filters(given: object) -> dict[str, tuple[str, ...]]:
    """Return filters, of a list of ``name=value`` or of the older form, an object of objects."""
    if isinstance(given, Mapping):
        pairs = [(str(name), str(value)) for name, values in given.items() for value in _fields(values, None)]
    else:
        pairs = [
            (name.strip().lower(), value.strip())
            for name, _, value in (_text(t).partition("=") for t in _list(given))
        ]
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
        if name in ("until", "unused-for"):
            parse_duration(value)
    if unknown := found.keys() - _FILTERS:
        raise ValueError(unknown)
    return found


def _reserved(fields: Mapping[str, object], spelt: Any) -> int:
    said = [_size(fields[spelt(name)]) for name in _RESERVED if spelt(name) in fields]
    return said[-1] if said else 0


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _age_ns(given: object) -> int:
    text = _text(given) if isinstance(given, str) else str(_count(given))
    return int(text) * _NS if text.isdigit() else parse_duration(text)


def _fields(given: object, names: set[str] | None) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise TypeError("object")
    if names is not None and (unknown := given.keys() - names):
        raise ValueError(unknown)
    return given


def _list(given: object) -> Sequence[object]:
    if not isinstance(given, list):
        raise TypeError("list")
    return given


def _truth(given: object) -> bool:
    if not isinstance(given, bool):
        raise TypeError("bool")
    return given


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError("text")
    return given


def _count(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(given)
    return given


def _size(given: object) -> int:
    return parse_size(given) if isinstance(given, str) else _count(given)
