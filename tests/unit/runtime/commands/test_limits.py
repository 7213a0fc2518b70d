from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.commands import limits


@pytest.mark.parametrize(
    ("given", "resources"),
    [
        ({}, {}),
        (
            {"--memory": "64m", "--memory-swap": "-1", "--pids-limit": -1},
            {"memory": {"limit": 64 << 20, "swap": -1}, "pids": {"limit": -1}},
        ),
        (
            {"--cpu-share": 512, "--cpuset-cpus": "0", "--blkio-weight": 100},
            {"cpu": {"shares": 512, "cpus": "0"}, "blockIO": {"weight": 100}},
        ),
    ],
)
def test_options_become_resources(given: Any, resources: Any) -> None:
    assert limits.resources_of(given) == resources


def test_a_file_of_resources_wins(tmp_path: Path) -> None:
    path = tmp_path / "resources.json"
    path.write_text('{"pids": {"limit": 5}}')

    assert limits.resources_of({"--resources": str(path), "--pids-limit": 7}) == {"pids": {"limit": 5}}
    path.write_text("[]")
    with pytest.raises(InvalidArgument, match="not an object"):
        limits.resources_of({"--resources": str(path)})


@pytest.mark.parametrize("text", ['{"blockIO": 1}', '{"unified": []}', '{"hugepageLimits": [{"pageSize": 5}]}'])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "resources.json"
    path.write_text(text)

    with pytest.raises(InvalidArgument, match=r"linux\.resources\."):
        limits.resources_of({"--resources": str(path)})


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("500ms", 0.5), ("1m", 60), ("1.5s", 1.5)])
def test_intervals_have_units(text: str, seconds: float) -> None:
    assert limits.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "-1s", "xs", "s"])
def test_an_interval_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid interval"):
        limits.seconds_of(text)
