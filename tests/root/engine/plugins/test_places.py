from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.engine.plugins.config import defaults, read_config
from wharf.engine.plugins.places import on_host, propagated_of, root_of
from wharf.engine.plugins.record import PluginRecord
from wharf.errors import Unavailable
from wharf.lib.digest import digest_of
from wharf.storage.layout import DataRoot

pytestmark = pytest.mark.root


@pytest.fixture
def plugin(tmp_path: Path) -> tuple[DataRoot, PluginRecord]:
    config = read_config(b'{"interface":{"socket":"a.sock"},"propagatedmount":"/data"}')
    record = PluginRecord("1" * 64, "a:latest", "a:latest", digest_of(b""), config, defaults(config))
    data = DataRoot(tmp_path)
    (root_of(data, record) / "srv").mkdir(parents=True)
    (propagated_of(data, record) / "vol").mkdir(parents=True)
    return data, record


def test_a_plugins_paths_are_found_on_the_host(plugin: tuple[DataRoot, PluginRecord]) -> None:
    data, record = plugin

    assert on_host(data, record, "/srv") == str(root_of(data, record) / "srv")
    assert on_host(data, record, "/data/vol") == str(propagated_of(data, record) / "vol")
    assert on_host(data, record, "/data") == str(propagated_of(data, record))


def test_no_path_of_a_plugin_leads_out_of_it(plugin: tuple[DataRoot, PluginRecord]) -> None:
    data, record = plugin
    os.symlink("/srv", root_of(data, record) / "inside")
    os.symlink("/etc", root_of(data, record) / "out")

    assert on_host(data, record, "/inside/../../../srv") == str(root_of(data, record) / "srv")
    for path in ("/out", "/none", "/data/../../../../etc", "/database"):
        with pytest.raises(Unavailable, match="told a path that is not there"):
            on_host(data, record, path)
