"""Documents that a program hands to the engine, held to their shape. Pure.

What comes over HTTP has been through the same. A program's own is not: whatever of it were recorded in another shape
would keep every later engine from reading its records.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from wharf.errors import InvalidArgument

T = TypeVar("T")


def held(document: object, shape: type[T], name: str) -> T:
    """Return ``document`` as the TypedDict that it must be.

    Args:
        document: what a program gave.
        shape: of the Engine API.
        name: what the document is called where it is told of.

    Raises:
        InvalidArgument: it is no dict, has a field that ``shape`` has not, or one of another type.
    """
    if not isinstance(document, Mapping):
        raise InvalidArgument(f"{name} is {document!r}: it must be a dict")
    for field in document:
        if field not in shape.__annotations__:
            near = difflib.get_close_matches(str(field), shape.__annotations__, 1)
            raise InvalidArgument(f"{name} has no {field!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"{name}: {error}") from error
