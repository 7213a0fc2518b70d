"""Which records of builds a client asks for (BuildKit, control, BuildHistoryRequest). Pure."""

from __future__ import annotations

import csv
import operator
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from wharf.engine.buildkit.filters import Condition, matcher
from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.lib.moments import parse_moment
from wharf.spec.buildkit import control_pb2 as pb

Test = Callable[[pb.BuildHistoryRecord], bool]
_ORDERS: Final[dict[str, Callable[[int, int], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_TIMES: Final = ("startedAt", "completedAt", "duration")
_FIELDS: Final = ("ref", "status", "repository", *_TIMES)


def record_test(filters: Iterable[str], now_ns: int) -> Test:
    """Return what says whether a record is asked for: any of the filters does, all fields of which hold.

    Raises:
        InvalidArgument: one is malformed, or about an unknown field.
        NotImplementedHere: a regular expression has what is not known here (see :mod:`wharf.lib.expressions`).
    """
    return matcher(map(_unquoted, filters), _FIELDS, partial(_test, now_ns=now_ns), _TIMES)


def _unquoted(text: str) -> str:
    """Return a filter without the quotes that whole fields of it have, as in CSV: such a field may have commas."""
    if not (text.startswith('"') or ',"' in text):
        return text
    try:
        return ",".join(next(csv.reader([text], strict=True), []))
    except csv.Error as error:
        raise InvalidArgument(f"invalid filter {text}: {error}") from None


def _test(condition: Condition, *, now_ns: int) -> Test:
    name, value = condition.name, condition.value
    if name not in _TIMES:
        return lambda record: condition.holds(lambda field: _value(record, field))
    compare = _ORDERS[condition.sign]
    limit_ns = _duration(value) if name == "duration" else parse_moment(value, now_ns=now_ns)
    return lambda record: compare(_time(record, name), limit_ns)


def _duration(value: str) -> int:
    try:
        return parse_duration(value)
    except ValueError:
        raise InvalidArgument(f"invalid duration {value}") from None


def _time(record: pb.BuildHistoryRecord, name: str) -> int:
    began, ended = record.CreatedAt.ToNanoseconds(), record.CompletedAt.ToNanoseconds()
    return {"startedAt": began, "completedAt": ended, "duration": ended - began if ended else 0}[name]


def _value(record: pb.BuildHistoryRecord, name: str) -> str | None:
    match name:
        case "ref":
            return record.Ref
        case "repository":
            return record.FrontendAttrs.get("vcs:source") or record.FrontendAttrs.get("context")
    if not record.HasField("CompletedAt"):
        return "running"
    if not record.HasField("error"):
        return "completed"
    return "canceled" if "context canceled" in record.error.message else "error"
