"""What pure functions have answered, kept for the questions that were asked last."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Answers by question; those that nobody has asked for longest go first. What it gives is nobody's to change."""

    def __init__(self, most: int) -> None:
        """Keep ``most`` answers."""
        self._most = most
        self._known: dict[Hashable, T] = {}  # the one that was asked for last at the end

    def get(self, question: Hashable, answer: Callable[[], T]) -> T:
        """Return what was answered before, else what ``answer`` says now; an error is no answer."""
        if question in self._known:
            self._known[question] = found = self._known.pop(question)
            return found
        found = answer()
        self.put(question, found)
        return found

    def find(self, question: Hashable) -> T | None:
        """Return what was answered before; None for nothing."""
        return self._known.get(question)

    def put(self, question: Hashable, answer: T) -> None:
        """Keep an answer that was found elsewhere."""
        self._known[question] = answer
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
