"""Rules for places in a tree, looked up along the way: ``services.*.ports.[]`` and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Rules(Generic[T]):
    """A tree of rules; ``*`` stands for any key, ``[]`` for any item of a sequence."""

    __slots__ = ("names", "others", "rule")

    def __init__(self) -> None:
        self.rule: T | None = None
        self.names: dict[str, Rules[T]] = {}
        self.others: Rules[T] | None = None

    @classmethod
    def of(cls, table: Mapping[str, T]) -> Rules[T]:
        """Return the rules that ``table`` lists by pattern."""
        root: Rules[T] = cls()
        for pattern, rule in table.items():
            node = root
            for part in pattern.split("."):
                node = node.below(part)
            node.rule = rule
        return root

    def below(self, part: str) -> Rules[T]:
        """Return the rules below one part of a pattern, made where there are none yet."""
        if part == "*":
            if self.others is None:
                self.others = Rules()
            return self.others
        return self.names.setdefault(part, Rules())

    def at(self, key: str | int) -> Rules[T] | None:
        """Return the rules below ``key``, or None where there are none: nothing below needs a look."""
        return self.names.get("[]" if isinstance(key, int) else key, self.others)
