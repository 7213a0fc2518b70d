"""Documents as Go's encoding/json reads them. Pure.

Names of fields are taken without regard to case, the exact spelling first, and a null among a list's or a table's
items is an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache

from msgspec import inspect

_Respell = Callable[[object], object]


@cache
def respelling(shape: Hashable) -> _Respell:
    """Return a function that gives a decoded document of ``shape`` the field names that ``shape`` has."""
    return _of(inspect.type_info(shape)) or _as_it_is


def _as_it_is(value: object) -> object:
    return value


def _of(kind: inspect.Type) -> _Respell | None:
    """Return how to respell a value of ``kind``; None: there are no names in it."""
    match kind:
        case inspect.TypedDictType(fields=fields):
            return _fields({field.name: _of(field.type) for field in fields})
        case inspect.ListType(item_type=item):
            return _each_item(found) if (found := _filled(item)) else None
        case inspect.DictType(value_type=value):  # its keys are data, not names
            return _each_value(found) if (found := _filled(value)) else None
        case inspect.UnionType(types=types):
            return next((found for one in types if (found := _of(one))), None)
        case _:
            return None


def _filled(kind: inspect.Type) -> _Respell | None:
    """Return how to respell an item of a list or a table, and what stands for a null there."""
    inner = _of(kind)
    match kind:
        case inspect.StrType():
            nothing: Callable[[], object] = str
        case inspect.IntType():
            nothing = int
        case inspect.TypedDictType() | inspect.DictType():
            nothing = dict
        case _:
            return inner

    def respell(value: object) -> object:
        return nothing() if value is None else inner(value) if inner else value

    return respell


def _fields(inner: dict[str, _Respell | None]) -> _Respell:
    by_folded = {name.casefold(): name for name in inner}

    def respell(value: object) -> object:
        if not isinstance(value, dict):
            return value
        document: dict[str, object] = {}
        for key, item in value.items():
            name = str(key if key in inner else by_folded.get(str(key).casefold(), key))
            if name != key and name in value:
                continue
            deeper = inner.get(name)
            document[name] = deeper(item) if deeper and item is not None else item
        return document

    return respell


def _each_item(respell: _Respell) -> _Respell:
    return lambda value: [respell(item) for item in value] if isinstance(value, list) else value


def _each_value(respell: _Respell) -> _Respell:
    return lambda value: {key: respell(item) for key, item in value.items()} if isinstance(value, dict) else value
