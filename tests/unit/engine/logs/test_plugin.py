from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.engine.logs.plugin import LogPlugin
from wharf.errors import Unavailable, WharfError
from wharf.plugins.calls import Address


def _plugin(folder: Path) -> LogPlugin:
    return LogPlugin("p", Address(f"unix://{folder}/p.sock"), folder, "/seen")


@pytest.mark.parametrize(
    ("told", "reads"),
    [
        ({"Cap": {"ReadLogs": True}}, True),  # as moby spells it
        ({"ReadLogs": True}, True),  # as its documentation does
        ({"Cap": {"ReadLogs": "yes"}}, False),
        ({"Cap": [1]}, False),
        ({"Err": "no"}, False),
        (b"garbage", False),
    ],
)
def test_only_a_plugin_that_says_so_is_read_from(tmp_path: Path, told: object, reads: bool) -> None:
    with fake_plugin(tmp_path / "p.sock", "LogDriver") as server:
        server.answers["/LogDriver.Capabilities"] = told
        assert _plugin(tmp_path).reads() is reads


def test_a_plugin_is_told_of_streams_where_it_sees_them(tmp_path: Path) -> None:
    with fake_plugin(tmp_path / "p.sock", "LogDriver") as server:
        server.answers["/LogDriver.StopLogging"] = {"Err": "unknown"}
        _plugin(tmp_path).start("x", {"ContainerID": "c"})
        with pytest.raises(WharfError, match=r"LogDriver\.StopLogging: unknown"):
            _plugin(tmp_path).stop("x")
        assert server.asked == [
            ("/LogDriver.StartLogging", {"File": "/seen/x", "Info": {"ContainerID": "c"}}),
            ("/LogDriver.StopLogging", {"File": "/seen/x"}),
        ]
    with pytest.raises(Unavailable, match="the log plugin p does not answer"):
        _plugin(tmp_path).start("x", {})
