"""A plugin of our own making, spoken to as the protocol says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.plugin import FakePlugin, fake_plugin

from wharf.errors import Unavailable, WharfError
from wharf.plugins.calls import Address
from wharf.volumes.plugins import PluginDriver
from wharf.volumes.rows import Row

ROW = Row("v", "", {}, "mine", {"a": "b"})


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[FakePlugin]:
    with fake_plugin(tmp_path / "mine.sock") as server:
        yield server


def driver(plugin: FakePlugin) -> PluginDriver:
    return PluginDriver("mine", Address(f"unix://{plugin.server_address}"))


def test_verbs_are_the_protocols(plugin: FakePlugin, tmp_path: Path) -> None:
    plugin.answers |= {
        "/VolumeDriver.Capabilities": {"Capabilities": {"Scope": "global"}},
        "/VolumeDriver.Mount": {"Mountpoint": "/mnt/v"},
        "/VolumeDriver.Get": {"Volume": {"Name": "v", "Mountpoint": "/mnt/v", "Status": {"up": True}}},
    }
    mine = driver(plugin)
    mine.create(ROW)
    place, shown = mine.mount(ROW, "c1"), mine.show(ROW)
    mine.unmount(ROW, "c1", 0)
    mine.remove(ROW)

    assert (mine.scope, place, shown.path, shown.status) == ("global", "/mnt/v", "/mnt/v", {"up": True})
    assert plugin.asked == [
        ("/VolumeDriver.Capabilities", {}),
        ("/VolumeDriver.Create", {"Name": "v", "Opts": {"a": "b"}}),
        ("/VolumeDriver.Mount", {"Name": "v", "ID": "c1"}),
        ("/VolumeDriver.Get", {"Name": "v"}),
        ("/VolumeDriver.Unmount", {"Name": "v", "ID": "c1"}),
        ("/VolumeDriver.Remove", {"Name": "v"}),
    ]


def test_what_a_plugin_says_is_told(plugin: FakePlugin) -> None:
    plugin.answers["/VolumeDriver.Create"] = {"Err": "no room"}
    with pytest.raises(WharfError, match=r"VolumeDriver\.Create: no room"):
        driver(plugin).create(ROW)


@pytest.mark.parametrize("place", ["", "relative", None])
def test_a_path_that_is_none_is_refused(plugin: FakePlugin, place: str | None) -> None:
    plugin.answers["/VolumeDriver.Mount"] = {"Mountpoint": place}
    with pytest.raises(Unavailable, match="told no path for v"):
        driver(plugin).mount(ROW, "c1")


def test_a_plugin_that_has_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        PluginDriver("mine", Address(f"unix://{tmp_path}/nobody.sock")).create(ROW)
