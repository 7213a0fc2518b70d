from __future__ import annotations

from wharf.cli.plugins import plugin_row


def test_a_line_has_the_fields_of_dockers() -> None:
    plugin = {
        "Id": "1" * 64,
        "Name": "sample:latest",
        "Enabled": True,
        "PluginReference": "h:5/sample:1",
        "Config": {"Description": "keeps\nvolumes, " + "x" * 60},
    }

    assert plugin_row(plugin, full=False) == {
        "ID": "1" * 12,
        "Name": "sample:latest",
        "Description": "keeps volumes, " + "x" * 29 + "…",
        "Enabled": "true",
        "PluginReference": "h:5/sample:1",
    }
    assert plugin_row(plugin, full=True)["ID"] == "1" * 64
