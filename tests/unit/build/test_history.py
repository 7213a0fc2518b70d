from __future__ import annotations

from wharf.build.history import finished
from wharf.spec.oci_image import ImageConfig

_BASE: ImageConfig = {"created": "2020-01-01T00:00:00Z", "history": [{"created_by": "base"}]}
_IMAGE: ImageConfig = {
    "history": [
        {"created_by": "base"},
        {"created_by": "ENV", "empty_layer": True},
        {"created_by": "RUN"},
        {"created_by": "CMD", "empty_layer": True},
    ]
}


def _made(chain_id: str) -> int | None:
    return {"one": 1_000_000_000}.get(chain_id)


def test_each_line_is_as_old_as_its_layer() -> None:
    found = finished(_IMAGE, _BASE, ["base", "one"], _made, epoch_s=None, now_ns=9)

    assert [line.get("created") for line in found["history"]] == [
        None,
        "2020-01-01T00:00:00Z",
        "1970-01-01T00:00:01.000000000Z",
        "1970-01-01T00:00:01.000000000Z",
    ]
    assert found["created"] == "1970-01-01T00:00:01.000000000Z"


def test_an_epoch_is_the_time_of_all() -> None:
    found = finished(_IMAGE, _BASE, ["base", "one"], _made, epoch_s=5, now_ns=9)

    assert found["created"] == found["history"][2]["created"] == "1970-01-01T00:00:05Z"


def test_an_image_from_nothing_is_made_now() -> None:
    found = finished({"history": []}, None, [], _made, epoch_s=None, now_ns=0)

    assert found["created"] == "1970-01-01T00:00:00.000000000Z"
