from __future__ import annotations

from wharf.cli.disk_usage import usage_rows

OLD = {
    "LayersSize": 100_000_000,
    "Images": [
        {"Containers": 1, "Size": 60_000_000, "SharedSize": 10_000_000},
        {"Containers": 0, "Size": 50_000_000, "SharedSize": 10_000_000},
    ],
    "Containers": [{"State": "running", "SizeRw": 10}, {"State": "exited", "SizeRw": 30}],
    "Volumes": [{"UsageData": {"RefCount": 0, "Size": 7}}, {"UsageData": {"RefCount": 1, "Size": -1}}],
    "BuildCache": [],
}


def test_older_engines_lists_become_figures() -> None:
    assert [[*row.values()] for row in usage_rows(OLD)] == [
        ["Images", "2", "1", "100MB", "50MB (50%)"],
        ["Containers", "2", "1", "40B", "30B (75%)"],
        ["Local Volumes", "2", "1", "7B", "7B (100%)"],
        ["Build Cache", "0", "0", "0B", "0B"],
    ]


def test_figures_are_shown_as_they_come() -> None:
    usage = {"TotalCount": 3, "ActiveCount": 1, "TotalSize": 2000, "Reclaimable": 500}

    assert [[*row.values()] for row in usage_rows({"LogUsage": usage})] == [
        ["Container Logs", "3", "1", "2kB", "500B (25%)"]
    ]
