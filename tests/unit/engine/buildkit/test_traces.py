from __future__ import annotations

import json

from wharf.engine.buildkit.journal import stamp
from wharf.engine.buildkit.traces import trace_of
from wharf.spec.buildkit import control_pb2 as pb


def test_a_build_is_a_span_with_one_for_each_step_that_was_begun() -> None:
    record = pb.BuildHistoryRecord(Ref="r", CreatedAt=stamp(1), CompletedAt=stamp(9_000_000_000))
    record.error.message = "it failed"
    done = pb.Vertex(digest="sha256:a", name="[1/1] RUN x", cached=True, started=stamp(2), completed=stamp(3))
    lines = trace_of(record, [done, pb.Vertex(digest="sha256:b", name="never begun")]).splitlines()
    whole, step = map(json.loads, lines)

    assert (whole["ChildSpanCount"], whole["Status"]) == (1, {"Code": "Error", "Description": "it failed"})
    assert (whole["StartTime"], whole["EndTime"]) == (
        "1970-01-01T00:00:00.000000001Z",
        "1970-01-01T00:00:09.000000000Z",
    )
    assert (step["Name"], step["Status"]["Code"]) == ("[1/1] RUN x", "Unset")
    assert step["Parent"] == whole["SpanContext"]
    assert step["SpanContext"]["TraceID"] == whole["SpanContext"]["TraceID"]
    assert len(step["SpanContext"]["SpanID"]) == 16
    assert {"Key": "cached", "Value": {"Type": "STRING", "Value": "true"}} in step["Attributes"]
