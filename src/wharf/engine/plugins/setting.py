"""docker plugin set: ``NAME[.FIELD]=VALUE`` on a plugin's variables, mounts, devices and arguments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wharf.engine.plugins.config import defaults
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.plugin import PluginConfig, PluginSettings

_FIELDS: Final = {
    "env": (("value",), "value"),
    "mount": (("source",), "source"),
    "device": (("path",), "path"),
    "args": (("value",), "value"),
}
"""What of each kind can be set at all, and what is meant when no field is named."""


def changed(config: PluginConfig, settings: PluginSettings, assignments: Sequence[str]) -> PluginSettings:
    """Return the settings after ``assignments``; all of them or none.

    Raises:
        InvalidArgument: there is no such setting, or its configuration does not let it be set.
    """
    result: PluginSettings = {
        "Args": [*settings["Args"]],
        "Devices": [*settings["Devices"]],
        "Env": [*settings["Env"]],
        "Mounts": [*settings["Mounts"]],
    }
    for text in assignments:
        target, _, value = text.partition("=")
        name, dot, field = target.rpartition(".")
        if not dot or not name or not field or not _exists(config, name):
            name, field = target, ""
        _assign(config, result, name, field, value)
    return result


def _exists(config: PluginConfig, name: str) -> bool:
    return any(name == one for _, one, _ in _settables(config))


def _settables(config: PluginConfig) -> list[tuple[str, str, Sequence[str]]]:
    """Return kind, name and settable fields of all there is to set, in the order in which Docker looks."""
    arguments = config.get("Args") or {}
    return [
        *(("env", one.get("Name") or "", one.get("Settable") or ()) for one in config.get("Env") or []),
        *(("mount", one.get("Name") or "", one.get("Settable") or ()) for one in config.get("Mounts") or []),
        *(
            ("device", one.get("Name") or "", one.get("Settable") or ())
            for one in (config.get("Linux") or {}).get("Devices") or []
        ),
        ("args", arguments.get("Name") or "", arguments.get("Settable") or ()),
    ]


def _assign(config: PluginConfig, settings: PluginSettings, name: str, field: str, value: str) -> None:
    for kind, known, settable in _settables(config):
        if known != name or not name:
            continue
        allowed, usual = _FIELDS[kind]
        if (field or usual) not in allowed or (field or usual) not in settable:
            raise InvalidArgument(f'"{name}{"." if field else ""}{field}" is not settable')
        _APPLY[kind](settings, name, value)
        return
    raise InvalidArgument(f'setting "{name}" not found in the plugin configuration')


def _variable(settings: PluginSettings, name: str, value: str) -> None:
    entry = f"{name}={value}"
    for index, one in enumerate(settings["Env"]):
        if one.partition("=")[0] == name:
            settings["Env"][index] = entry
            return
    settings["Env"].append(entry)


def _mount(settings: PluginSettings, name: str, value: str) -> None:
    settings["Mounts"] = [{**one, "Source": value} if one.get("Name") == name else one for one in settings["Mounts"]]


def _device(settings: PluginSettings, name: str, value: str) -> None:
    settings["Devices"] = [{**one, "Path": value} if one.get("Name") == name else one for one in settings["Devices"]]


def _arguments(settings: PluginSettings, _: str, value: str) -> None:
    settings["Args"] = value.split()


_APPLY: Final = {"env": _variable, "mount": _mount, "device": _device, "args": _arguments}


def carried_over(
    old: PluginConfig, settings: PluginSettings, new: PluginConfig, fresh: PluginSettings
) -> PluginSettings:
    """Return the settings of a plugin after an upgrade: what was set stays where it can still be set.

    Args:
        old: its configuration before.
        settings: what was set of that.
        new: its configuration now.
        fresh: what that is before anybody has set anything.
    """
    result = fresh
    for assignment in _assignments(settings, defaults(old)):
        try:
            result = changed(new, result, [assignment])
        except InvalidArgument:  # the newer plugin has no such setting
            continue
    before, arguments = old.get("Args") or {}, new.get("Args") or {}
    same = before.get("Name") == arguments.get("Name") and "value" in (arguments.get("Settable") or ())
    if same and settings["Args"] != defaults(old)["Args"]:
        result = {**result, "Args": [*settings["Args"]]}
    return result


def _assignments(settings: PluginSettings, unset: PluginSettings) -> list[str]:
    """Return what was assigned to a plugin's variables, mounts and devices: what is not as if it were ``unset``."""
    sources = {one.get("Name"): one.get("Source") for one in unset["Mounts"]}
    paths = {one.get("Name"): one.get("Path") for one in unset["Devices"]}
    return [
        *(one for one in settings["Env"] if one not in unset["Env"]),
        *(
            f"{one.get('Name')}.source={one.get('Source') or ''}"
            for one in settings["Mounts"]
            if one.get("Source") != sources.get(one.get("Name"))
        ),
        *(
            f"{one.get('Name')}.path={one.get('Path') or ''}"
            for one in settings["Devices"]
            if one.get("Path") != paths.get(one.get("Name"))
        ),
    ]
