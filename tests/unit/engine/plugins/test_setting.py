from __future__ import annotations

import json

import pytest

from wharf.engine.plugins.config import defaults, read_config
from wharf.engine.plugins.setting import carried_over, changed
from wharf.errors import InvalidArgument


def _config(**more: object) -> bytes:
    return json.dumps(
        {
            "entrypoint": ["/keeper"],
            "interface": {"types": ["docker.volumedriver/1.0"], "socket": "keeper.sock"},
            "linux": {"devices": [{"name": "fuse", "path": "/dev/fuse", "settable": ["path"]}]},
            "args": {"name": "words", "settable": ["value"], "value": ["a"]},
            "env": [{"name": "DEBUG", "settable": ["value"], "value": "0"}, {"name": "FIXED", "value": "1"}],
            "mounts": [
                {"name": "state", "source": "/srv", "settable": ["source"]},
                {"name": "a.b", "source": "/x", "settable": ["source"]},
                {"name": "usr", "source": "/usr"},
            ],
            **more,
        }
    ).encode()


CONFIG = read_config(_config())


def test_each_kind_of_setting_is_set() -> None:
    given = ["DEBUG=1", "state.source=/var", "a.b=/y", "fuse.path=/dev/null", "words=x  y"]
    settings = changed(CONFIG, defaults(CONFIG), given)

    assert settings["Env"] == ["DEBUG=1", "FIXED=1"]
    assert [mount.get("Source") for mount in settings["Mounts"]] == ["/var", "/y", "/usr"]
    assert [device.get("Path") for device in settings["Devices"]] == ["/dev/null"]
    assert settings["Args"] == ["x", "y"]


def test_a_name_alone_sets_it_to_nothing() -> None:
    assert changed(CONFIG, defaults(CONFIG), ["DEBUG"])["Env"] == ["DEBUG=", "FIXED=1"]


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("FIXED=2", '"FIXED" is not settable'),
        ("usr.source=/x", '"usr.source" is not settable'),
        ("DEBUG.name=x", '"DEBUG.name" is not settable'),
        ("NOPE=2", 'setting "NOPE" not found in the plugin configuration'),
        ("nope.source=2", 'setting "nope.source" not found in the plugin configuration'),
        ("=2", 'setting "" not found in the plugin configuration'),
    ],
)
def test_what_cannot_be_set_is_refused_in_dockers_words_and_nothing_is_set(assignment: str, said: str) -> None:
    before = defaults(CONFIG)
    with pytest.raises(InvalidArgument) as refused:
        changed(CONFIG, before, ["DEBUG=9", assignment])

    assert (str(refused.value), before) == (said, defaults(CONFIG))


def test_settings_survive_an_upgrade_where_they_can_still_be_set() -> None:
    old = changed(CONFIG, defaults(CONFIG), ["DEBUG=9", "state.source=/var", "words=z"])
    newer = read_config(
        _config(
            env=[{"name": "DEBUG", "value": "0"}, {"name": "LEVEL", "value": "3"}],
            mounts=[{"name": "state", "source": "/else", "settable": ["source"]}],
        )
    )

    settings = carried_over(CONFIG, old, newer, defaults(newer))

    assert (settings["Env"], settings["Args"]) == (["DEBUG=0", "LEVEL=3"], ["z"])
    assert [mount.get("Source") for mount in settings["Mounts"]] == ["/var"]


def test_what_nobody_set_is_after_an_upgrade_as_the_newer_plugin_has_it() -> None:
    newer = read_config(
        _config(
            linux={"devices": [{"name": "fuse", "path": "/dev/new", "settable": ["path"]}]},
            args={"name": "words", "settable": ["value"], "value": ["new"]},
            env=[{"name": "DEBUG", "settable": ["value"], "value": "NEW"}],
            mounts=[{"name": "state", "source": "/new", "settable": ["source"]}],
        )
    )

    assert carried_over(CONFIG, defaults(CONFIG), newer, defaults(newer)) == defaults(newer)


def test_arguments_are_after_an_upgrade_the_words_that_they_were() -> None:
    spaced = read_config(_config(args={"name": "words", "settable": ["value"], "value": ["x y", "z"]}))
    settings = changed(CONFIG, defaults(CONFIG), ["words=b"])

    assert carried_over(spaced, defaults(spaced), spaced, defaults(spaced))["Args"] == ["x y", "z"]
    assert carried_over(CONFIG, settings, spaced, defaults(spaced))["Args"] == ["b"]
    assert carried_over(CONFIG, {**settings, "Args": ["b c"]}, spaced, defaults(spaced))["Args"] == ["b c"]
