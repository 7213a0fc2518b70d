"""What two sides said differently, in words, and which of it is meant to be so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

ACCEPTED: Final = Path(__file__).parent / "accepted.tsv"
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in an answer at which two sides differ."""

    sequence: str
    step: str
    place: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.sequence}: {self.step}: {self.place}: {self.ours} and there {self.theirs}"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A difference that is meant: patterns (as file names') of where it is and of what each side says, and why."""

    sequence: str
    step: str
    place: str
    ours: str
    theirs: str
    why: str

    def covers(self, one: Difference) -> bool:
        """Tell whether a difference is this one."""
        return all(
            fnmatchcase(getattr(one, name), getattr(self, name))
            for name in ("place", "sequence", "step", "ours", "theirs")
        )


def accepted(path: Path = ACCEPTED) -> list[Acceptance]:
    """Return what is accepted: lines of six columns, comments and empty lines aside."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [Acceptance(*line.split("\t")) for line in lines]


def unaccepted(found: Iterable[Difference], known: Iterable[Acceptance]) -> list[Difference]:
    """Return the differences that no acceptance covers."""
    known = list(known)
    return [one for one in found if not any(each.covers(one) for each in known)]


def differences(sequence: str, step: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    """Yield where two answers differ; of answers of different statuses, those and what they say."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours["status"] != theirs["status"]:
        yield Difference(sequence, step, "status", _told(ours), _told(theirs))
        return
    for place, mine, other in _between(ours, theirs, ""):
        yield Difference(sequence, step, place, _word(mine), _word(other))


def _told(said: dict[str, Any]) -> str:
    body = said["body"]
    text = body["message"] if isinstance(body, dict) and "message" in body else ""
    return f"{said['status']} {text}".rstrip()


def _between(ours: Any, theirs: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            inner = f"{place}.{key}" if place else key
            yield from _between(ours.get(key, _ABSENT), theirs.get(key, _ABSENT), inner)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _between(mine, other, f"{place}.{number}")
    elif ours != theirs or type(ours) is not type(theirs):
        yield place, ours, theirs


def _word(value: Any) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
