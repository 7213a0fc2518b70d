"""Documents that a program hands to the engine, held to their shape. Pure.

What comes over HTTP has been through the same. A program's own is not: whatever of it were recorded in another shape
would keep every later engine from reading its records.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from wharf.errors import InvalidArgument

T = TypeVar("T")

_Inner: TypeAlias = tuple[Literal["object", "list", "values"], object]
"""How a value holds objects: it is one, of that shape, or has some, in the way that comes second."""


def held(document: object, shape: type[T], name: str) -> T:
    """Return ``document`` as the TypedDict that it must be.

    Args:
        document: what a program gave.
        shape: of the Engine API.
        name: what the document is called where it is told of.

    Raises:
        InvalidArgument: it is no dict, or somewhere in it is a field that the shape has not, or one of another type.
    """
    if not isinstance(document, Mapping):
        raise InvalidArgument(f"{name} is {document!r}: it must be a dict")
    _check(document, shape, name, "")
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"{name}: {error}") from error


def _check(document: Mapping[object, object], shape: type, name: str, place: str) -> None:
    """Refuse a field that the shape has not; what is of another type is left to whoever converts it."""
    fields = _fields(shape)
    for field, value in document.items():
        if field not in fields:
            near = difflib.get_close_matches(str(field), map(str, fields), 1)
            whose = f"{name}: {place}" if place else name
            raise InvalidArgument(f"{whose} has no {field!r}" + (f": did you mean {near[0]!r}?" if near else ""))
        if value and (inner := fields[field]):
            _look_into(value, inner, name, f"{place}.{field}" if place else str(field))


def _look_into(value: object, inner: _Inner, name: str, place: str) -> None:
    kind, of = inner
    if kind == "object" and isinstance(value, Mapping):
        _check(value, of, name, place)  # type: ignore[arg-type]  # a TypedDict
    elif kind == "list" and isinstance(value, list):
        for number, item in enumerate(value):
            _look_into(item, of, name, f"{place}[{number}]")  # type: ignore[arg-type]  # what a list holds
    elif kind == "values" and isinstance(value, Mapping):
        for key, item in value.items():
            _look_into(item, of, name, f"{place}[{key!r}]")  # type: ignore[arg-type]  # what its values are


@cache
def _fields(shape: type) -> dict[object, _Inner | None]:
    return {field: _inner(hint) for field, hint in get_type_hints(shape).items()}


def _inner(hint: object) -> _Inner | None:
    if is_typeddict(hint):
        return "object", hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return next((found for found in map(_inner, arguments) if found), None)
    if origin in (list, dict) and (found := _inner(arguments[-1])):
        return "list" if origin is list else "values", found
    return None
