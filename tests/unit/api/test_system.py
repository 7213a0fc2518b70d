from __future__ import annotations

import pytest

from wharf.api.answers import JSON_LINES
from wharf.api.system import framing
from wharf.api.versions import NEWEST, parse_version


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl, application/json-seq;q=0.5", "application/jsonl"),
        ("application/jsonl;q=0.1, application/json-seq", "application/json-seq"),
        ("application/json-seq;q=0", "application/json"),
        ("application/json-seq;q=high", "application/json"),
    ],
)
def test_events_are_framed_as_the_client_prefers(accept: str, kind: str) -> None:
    assert framing(accept, NEWEST).content_type == kind


@pytest.mark.parametrize(("version", "accept"), [("1.51", "application/x-ndjson"), ("1.52", "application/jsonl")])
def test_versions_that_know_no_framing_get_json(version: str, accept: str) -> None:
    assert framing(accept, parse_version(version)) == JSON_LINES


def test_documents_of_a_json_sequence_begin_with_a_record_separator() -> None:
    assert framing("application/json-seq", NEWEST).frame({"a": 1}) == b'\x1e{"a":1}\n'
