from __future__ import annotations

import pytest
from conformance.fuzzed_api_judge import faults_of


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "faults"),
    [
        ("GET", "/containers/{id}/json", 404, b'{"message": "No such container: x"}', []),
        ("POST", "/swarm/init", 501, b'{"message": "not here"}', []),
        ("GET", "/info", 500, b'{"message": "internal error: KeyError: x"}', ["500: "]),
        ("GET", "/info", 400, b"[]", ["400 without a message: []"]),
        ("GET", "/exec/{id}/json", 200, b'{"ID": "a", "ExitCode": null}', []),
        ("GET", "/exec/{id}/json", 200, b'{"ID": 7}', [".ID: int is no string"]),
    ],
)
def test_answers_are_held_to_the_definition(
    method: str, path: str, status: int, body: bytes, faults: list[str]
) -> None:
    found = faults_of(method, path, status, "application/json; charset=utf-8", body)

    assert len(found) == len(faults)
    assert all(one.startswith(other) for one, other in zip(found, faults, strict=True))


def test_what_is_no_document_is_not_read() -> None:
    assert faults_of("GET", "/images/get", 200, "application/x-tar", b"\0") == []
