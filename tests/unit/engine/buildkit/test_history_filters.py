from __future__ import annotations

import pytest

from wharf.engine.buildkit.history_filters import record_test
from wharf.engine.buildkit.journal import stamp
from wharf.errors import InvalidArgument
from wharf.spec.buildkit import control_pb2 as pb

S = 1_000_000_000


def record(began_s: int, ended_s: int = 0, error: str = "", **attributes: str) -> pb.BuildHistoryRecord:
    found = pb.BuildHistoryRecord(Ref="r", CreatedAt=stamp(began_s * S), FrontendAttrs=attributes)
    if ended_s:
        found.CompletedAt.CopyFrom(stamp(ended_s * S))
    if error:
        found.error.message = error
    return found


@pytest.mark.parametrize(
    ("text", "one", "holds"),
    [
        ("status==running", record(1), True),
        ("status==completed", record(1, 2), True),
        ("status==error", record(1, 2, "exit code: 1"), True),
        ("status==canceled", record(1, 2, "context canceled"), True),
        ("status!=error", record(1, 2), True),
        ("duration>5s", record(1, 9), True),
        ("duration>5s", record(1, 2), False),
        ("startedAt>10s", record(95), True),
        ("startedAt<10s", record(95), False),
        ("completedAt<=1970-01-01T00:00:02Z", record(1, 2), True),
        ("repository~=example.com", record(1, 2, context="https://example.com/r.git"), True),
        ("repository==x", record(1, 2), False),
        ('"repository==x","status==completed"', record(1, 2, context="x"), True),
        ('"repository==x","status==error"', record(1, 2, context="x"), False),
        ('status==completed,"repository==""a,b"""', record(1, 2, context="a,b"), True),
        ('repository=="a,b",status==completed', record(1, 2, context="a,b"), True),
        ("status==completed,duration<5s", record(1, 9), False),
    ],
)
def test_records_are_chosen(text: str, one: pb.BuildHistoryRecord, holds: bool) -> None:
    assert record_test([text], 100 * S)(one) is holds


@pytest.mark.parametrize("text", ["duration>soon", "startedAt>soon", '"ref==a', '"ref==a"b'])
def test_what_is_malformed_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        record_test([text], 0)
