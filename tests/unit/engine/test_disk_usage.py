from __future__ import annotations

from wharf.engine.disk_usage import image_usage, volume_usage


def test_images_give_back_what_only_unused_ones_hold() -> None:
    usage = image_usage(
        [
            {"Id": "used", "Size": 100, "SharedSize": 40, "Containers": 1},
            {"Id": "unused", "Size": 90, "SharedSize": 40, "Containers": 0},
        ],
        layers_size=150,
    )

    assert {name: usage[name] for name in ("TotalCount", "ActiveCount", "TotalSize", "Reclaimable")} == {
        "TotalCount": 2,
        "ActiveCount": 1,
        "TotalSize": 150,
        "Reclaimable": 90,
    }


def test_volume_whose_size_nobody_knows_counts_without_bytes() -> None:
    usage = volume_usage(
        [
            {"Name": "a", "UsageData": {"Size": 5, "RefCount": 1}},
            {"Name": "b", "UsageData": {"Size": 7, "RefCount": 0}},
            {"Name": "c", "UsageData": {"Size": -1, "RefCount": 0}},
        ]
    )

    assert (usage["TotalCount"], usage["ActiveCount"], usage["TotalSize"], usage["Reclaimable"]) == (3, 1, 12, 7)
