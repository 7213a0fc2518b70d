from __future__ import annotations

import pytest

from wharf.cli.create.devices import is_vendors, parse_device, parse_gpus, requests
from wharf.errors import InvalidArgument


def test_a_device_is_a_path_with_a_target_and_a_mode() -> None:
    assert parse_device("/dev/fuse:/dev/x:r") == {
        "PathOnHost": "/dev/fuse", "PathInContainer": "/dev/x", "CgroupPermissions": "r",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "vendors"), [("vendor.com/gpu=0", True), ("/dev/x=y", False), ("/dev/fuse", False), ("a/b", False)]
)
def test_a_vendors_device_has_a_class_and_a_name(text: str, vendors: bool) -> None:
    assert is_vendors(text) is vendors


def test_requests_are_made_of_both_flags() -> None:
    assert requests(["/dev/fuse", "v.com/c=x", "v.com/c=y"], ["all"]) == [
        {"Driver": "cdi", "DeviceIDs": ["v.com/c=x", "v.com/c=y"]},
        {"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}},
    ]


@pytest.mark.parametrize(
    ("text", "count", "ids"),
    [("2", 2, None), ("device=0", 0, ["0"]), ('"device=0,1"', 0, ["0", "1"]), ("capabilities=utility", 1, None)],
)
def test_gpus(text: str, count: int, ids: list[str] | None) -> None:
    request = parse_gpus(text)

    assert (request["Count"], request["DeviceIDs"]) == (count, ids)


@pytest.mark.parametrize("text", ["many", "colour=red"])
def test_gpus_that_are_none(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_gpus(text)
