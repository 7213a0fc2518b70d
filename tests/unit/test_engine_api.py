"""The judge of answers: what it finds, and what it lets pass."""

from __future__ import annotations

import pytest
from tests import engine_api

VOLUME = {"Name": "v", "Driver": "local", "Mountpoint": "/v", "Labels": None, "Scope": "local", "Options": {}}


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        (VOLUME, []),
        ({**VOLUME, "Scope": "galactic"}, [".Scope: galactic is not among ['local', 'global']"]),
        ({**VOLUME, "Name": 1}, [".Name: int is no string"]),
        ({**VOLUME, "New": 1}, [".New: unknown"]),
        ({name: value for name, value in VOLUME.items() if name != "Name"}, [".Name: missing"]),
        ({**VOLUME, "UsageData": {"Size": True, "RefCount": 1}}, [".UsageData.Size: bool is no integer"]),
    ],
)
def test_what_is_wrong_with_an_answer_is_found(document: dict[str, object], faults: list[str]) -> None:
    assert engine_api.definition((1, 55)).faults("GET", "/volumes/{name}", 200, document) == faults


def test_version_between_two_may_have_what_the_next_one_adds() -> None:
    answer = {"ID": "i", "DiscoveredDevices": []}

    assert engine_api.definition((1, 47)).faults("GET", "/info", 200, answer) == [".DiscoveredDevices: unknown"]
    assert engine_api.definition((1, 50)).faults("GET", "/info", 200, answer) == []


def test_status_and_endpoint_must_be_known() -> None:
    judge = engine_api.definition((1, 55))

    assert judge.faults("GET", "/info", 418, None) == ["status 418 is not among its answers"]
    assert judge.faults("GET", "/teapot", 200, None) == ["no such endpoint"]


def test_fields_of_an_answer_are_named_by_their_places() -> None:
    judge = engine_api.definition((1, 55))
    schema = judge.answer("GET", "/volumes", 200)[1]
    assert schema is not None

    assert set(judge.fields(schema, {"Volumes": [{"Name": "v", "Nothing": 1}]})) == {"Volumes", "Volumes.Name"}
