"""A build as spans of a trace, in the JSON of OpenTelemetry's Go SDK, as BuildKit's records have it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.buildkit import control_pb2 as pb

MEDIA_TYPE: Final = "application/vnd.buildkit.otlp.json.v0"
_INTERNAL: Final = 1  # the kind of a span that is no call
_NOTHING: Final = {"TraceID": "0" * 32, "SpanID": "0" * 16, "TraceFlags": "00", "TraceState": "", "Remote": False}


def trace_of(record: pb.BuildHistoryRecord, vertices: Iterable[pb.Vertex]) -> bytes:
    """Return a trace: a span for the build, and one in it for each of its steps that was begun."""
    trace = hashlib.sha256(record.Ref.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    whole = _context(trace, record.Ref)
    begun = [one for one in vertices if one.HasField("started") and one.HasField("completed")]
    top = _span("moby.buildkit.v1.Control/Solve", (record.CreatedAt, record.CompletedAt), record.error.message)
    spans = [{**top, "SpanContext": whole, "Attributes": _values({"ref": record.Ref}), "ChildSpanCount": len(begun)}]
    for one in begun:
        about = {"vertex": one.digest, **({"cached": "true"} if one.cached else {})}
        step = {"SpanContext": _context(trace, one.digest), "Parent": whole, "Attributes": _values(about)}
        spans.append({**_span(one.name, (one.started, one.completed), one.error), **step})
    return b"".join(msgspec.json.encode(span) + b"\n" for span in spans)


def _context(trace: str, name: str) -> dict[str, object]:
    span = hashlib.sha256(f"{trace} {name}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return {"TraceID": trace, "SpanID": span, "TraceFlags": "01", "TraceState": "", "Remote": False}


def _span(name: str, times: tuple[Timestamp, Timestamp], error: str) -> dict[str, object]:
    return {
        "Name": name,
        "Parent": _NOTHING,
        "SpanKind": _INTERNAL,
        "StartTime": rfc3339_nano(times[0].ToNanoseconds()),
        "EndTime": rfc3339_nano(times[1].ToNanoseconds()),
        "Events": None,
        "Links": None,
        "Status": {"Code": "Error" if error else "Unset", "Description": error},
        "DroppedAttributes": 0,
        "DroppedEvents": 0,
        "DroppedLinks": 0,
        "ChildSpanCount": 0,
        "Resource": _values({"service.name": "wharf"}),
        "InstrumentationLibrary": {"Name": "wharf", "Version": "", "SchemaURL": ""},
    }


def _values(values: dict[str, str]) -> list[dict[str, object]]:
    return [{"Key": name, "Value": {"Type": "STRING", "Value": value}} for name, value in values.items()]
