"""Has ``os`` loaded without the abstract collections, of which it wants a base for ``environ`` and one function.

Those are two dozen classes, which take two thirds of what ``import os`` takes, and a seventh of the interpreter's own
start. So while ``os`` is loaded, what it takes from them stands in for them. Whoever imports them later gets the real
ones; ``os.environ`` alone is no ``Mapping`` then, though it does what one does. Where ``os`` is there already, or
wants more, nothing is changed.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import NotImplementedType
    from typing import Final

_NAME: Final = "_collections_abc"
_ABSENT: Final = object()


class Environ:
    """What ``os.environ`` has from its base: all that can be had by reading, setting and deleting single entries."""

    def __getitem__(self, key: str) -> str:
        raise KeyError(key)

    def __delitem__(self, key: str) -> None:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None  # type: ignore[arg-type]  # whatever it is

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, Environ) else other)

    __hash__ = None  # type: ignore[assignment]  # as of all that can be changed

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the value, or ``default`` without one."""
        try:
            return self[key]
        except KeyError:
            return default

    def pop(self, key: str, default: object = _ABSENT) -> object:
        """Remove an entry and return its value, or ``default`` without one; KeyError without either."""
        value = self.get(key)
        if value is not None:
            del self[key]
            return value
        if default is _ABSENT:
            raise KeyError(key)
        return default

    def keys(self) -> list[str]:
        """Return the names."""
        return list(self)

    def values(self) -> list[str]:
        """Return the values."""
        return [self[key] for key in self]

    def items(self) -> list[tuple[str, str]]:
        """Return names and values."""
        return [(key, self[key]) for key in self]

    def clear(self) -> None:
        """Remove all."""
        for key in self.keys():
            del self[key]

    def update(self, other: Iterable[tuple[str, str]] | dict[str, str] = (), **more: str) -> None:
        """Set the entries of ``other``, then ``more``."""
        for key, value in {**dict(other), **more}.items():
            self[key] = value  # type: ignore[index]  # os has it


def _has_methods(kind: type, *names: str) -> bool | NotImplementedType:
    """Return whether a class has all of these, for ``os.PathLike``: what is None there is forbidden, not had."""
    for name in names:
        if next((one.__dict__[name] for one in kind.__mro__ if name in one.__dict__), None) is None:
            return NotImplemented  # type: ignore[no-any-return]  # typeshed has it so
    return True


def load() -> None:
    """Import ``os``, if nobody has yet."""
    if "os" in sys.modules or _NAME in sys.modules:
        return
    stand_in = type(sys)(_NAME)
    stand_in.__dict__.update(MutableMapping=Environ, Mapping=dict | Environ, _check_methods=_has_methods)
    sys.modules[_NAME] = stand_in
    try:
        __import__("os")
    except ImportError:  # another os than we know: let it have what it wants
        sys.modules.pop("os", None)
    finally:
        del sys.modules[_NAME]


load()
