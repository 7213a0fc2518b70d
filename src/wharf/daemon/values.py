"""The values of settings, read from JSON and from flags into one form. Pure.

::

    kind             in daemon.json                      as a flag           the form
    bool, int, text  true, 5, "a"                        =true, 5, a         bool, int, str
    path             "/a"                                /a                  str
    size             "64m" or bytes                      64m                 int (bytes)
    texts            ["a"]                               once for each       tuple of str
    map              {"a": "b"}                          a=b                 mapping
    options          {"a": {"b": "c"}}                   a=b=c               mapping to mappings
    features         {"a": true}                         a[=true]            mapping to bool
    ulimits          {"nofile": {"Name", "Soft", "Hard"}}  nofile=1[:2]      tuple of such mappings
    pools            [{"base", "size"}]                  base=CIDR,size=N    tuple of such mappings
    builder          {"entitlements": {}, "gc": {}}                          mapping: see :mod:`wharf.daemon.builder`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from wharf.daemon.builder import read_builder
from wharf.daemon.settings import Setting, Value
from wharf.errors import InvalidArgument
from wharf.lib.logins import without_login
from wharf.lib.sizes import parse_size

_EXPECTED: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "size": "a size such as 64m",
    "text": "a text",
    "path": "a path",
    "texts": "a list of texts",
    "map": "an object of texts",
    "options": "an object of objects of texts",
    "runtimes": 'an object such as {"crun": {"path": "/usr/bin/crun", "runtimeArgs": []}}',
    "features": "an object of true and false",
    "ulimits": 'an object such as {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}',
    "pools": 'a list such as [{"base": "172.30.0.0/16", "size": 24}]',
    "builder": 'an object such as {"entitlements": {"network-host": true}, "gc": {"defaultReservedSpace": "20GB"}}',
}


def from_json(setting: Setting, given: object) -> Value:
    """Return a value of daemon.json.

    Raises:
        InvalidArgument: it is not what the setting wants.
    """
    try:
        value = _FROM_JSON[setting.kind](given)
    except (TypeError, KeyError, ValueError, InvalidArgument) as error:
        raise InvalidArgument(f'invalid value for "{setting.name}": expected {_EXPECTED[setting.kind]}') from error
    return checked(setting, value)


def from_flags(setting: Setting, given: Sequence[str]) -> Value:
    """Return the value of a flag that was given once or several times; the last counts where there is one value.

    Raises:
        InvalidArgument: it is not what the setting wants.
    """
    try:
        value = _FROM_FLAGS[setting.kind](given)
    except (KeyError, ValueError, InvalidArgument) as error:
        expected = _FLAG_EXPECTED.get(setting.kind, "a text")
        raise InvalidArgument(f'invalid value "{given[-1]}" for --{setting.option}: expected {expected}') from error
    return checked(setting, value)


def checked(setting: Setting, value: Value) -> Value:
    """Return ``value`` when the setting may have it.

    Raises:
        InvalidArgument: it is not among the choices, or describes what does not hold here.
    """
    if setting.choices and value not in setting.choices:
        raise InvalidArgument(
            f'invalid value "{value}" for {setting.name}: choose one of {", ".join(setting.choices)}'
        )
    if setting.why and not any(_holds(value, known) for known in setting.only):
        raise InvalidArgument(f"{setting.name}: {shown(value)} is not supported here: {setting.why}")
    return value


def _holds(value: object, known: object) -> bool:
    """Return whether a value says nothing else than what is known to hold."""
    if isinstance(value, Mapping) and isinstance(known, Mapping):
        return value.items() <= known.items()
    return value == known


def shown(value: object) -> str:
    """Return a value as messages and events show it, without what logs in to a proxy."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {shown(each)}" for name, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    return without_login(str(value))  # proxies have passwords in them


def _bool(given: object) -> bool:
    if not isinstance(given, bool):
        raise TypeError("bool")
    return given


def _size(given: object) -> Value:
    return given if type(given) is int else parse_size(_text(given))


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError("text")
    return given


def _texts(given: object) -> Value:
    if not isinstance(given, list):
        raise TypeError("list")
    return tuple(_text(each) for each in given)


def _object(given: object) -> dict[str, object]:
    if not isinstance(given, dict):
        raise TypeError("object")
    return given


def _map(given: object) -> Value:
    return {name: value if isinstance(value, dict) else _text(value) for name, value in _object(given).items()}


def _options(given: object) -> Value:
    return {
        name: {key: _text(each) for key, each in _object(value).items()} for name, value in _object(given).items()
    }


def _runtimes(given: object) -> Value:
    found: dict[str, object] = {}
    for name, each in _object(given).items():
        fields = _object(each)
        if fields.keys() - {"path", "runtimeArgs"}:  # runtimeType, options: of containerd's shims
            raise ValueError(name)
        found[name] = {"path": _text(fields["path"]), "runtimeArgs": _texts(fields.get("runtimeArgs", []))}
    return found


def _features(given: object) -> Value:
    return {name: _bool(value) for name, value in _object(given).items()}


def _number(given: object) -> int:
    if type(given) is not int:
        raise TypeError("number")
    return given


def _ulimits(given: object) -> Value:
    found = []
    for name, limit in _object(given).items():
        fields = _object(limit)
        soft = _number(fields["Soft"])
        found.append(
            {"Name": _text(fields.get("Name") or name), "Soft": soft, "Hard": _number(fields.get("Hard", soft))}
        )
    return tuple(found)


def _pools(given: object) -> Value:
    if not isinstance(given, list):
        raise TypeError("list")
    return tuple({"base": _text(_object(each)["base"]), "size": _number(_object(each)["size"])} for each in given)


_FROM_JSON: Final[dict[str, Callable[[object], Value]]] = {
    "bool": _bool,
    "int": _number,
    "size": _size,
    "text": _text,
    "path": _text,
    "texts": _texts,
    "map": _map,
    "options": _options,
    "runtimes": _runtimes,
    "features": _features,
    "ulimits": _ulimits,
    "pools": _pools,
    "builder": read_builder,
}
_TRUE, _FALSE = ("1", "t", "true"), ("0", "f", "false")
_FLAG_EXPECTED: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "size": "a size such as 64m",
    "map": "key=value",
    "options": "driver=key=value",
    "runtimes": "name=path",
    "features": "name or name=true",
    "ulimits": "name=soft or name=soft:hard",
    "pools": "base=CIDR,size=N",
}


def _flag_bool(given: Sequence[str]) -> Value:
    text = given[-1].lower()
    if text not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text in _TRUE


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(text)
    return name, value


def _flag_options(given: Sequence[str]) -> Value:
    found: dict[str, dict[str, str]] = {}
    for text in given:
        of, option = _pair(text)
        name, value = _pair(option)
        found.setdefault(of, {})[name] = value
    return found


def _flag_features(given: Sequence[str]) -> Value:
    return {text.partition("=")[0]: _flag_bool([text.partition("=")[2] or "true"]) for text in given}


def _flag_ulimit(text: str) -> Mapping[str, object]:
    name, value = _pair(text)
    soft, _, hard = value.partition(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}


def _flag_pool(text: str) -> Mapping[str, object]:
    fields = dict(_pair(part) for part in text.split(","))
    return {"base": fields["base"], "size": int(fields["size"])}


_FROM_FLAGS: Final[dict[str, Callable[[Sequence[str]], Value]]] = {
    "bool": _flag_bool,
    "int": lambda given: int(given[-1]),
    "size": lambda given: parse_size(given[-1]),
    "text": lambda given: given[-1],
    "path": lambda given: given[-1],
    "texts": tuple,
    "map": lambda given: dict(_pair(text) for text in given),
    "options": _flag_options,
    "runtimes": lambda given: {name: {"path": path, "runtimeArgs": ()} for name, path in map(_pair, given)},
    "features": _flag_features,
    "ulimits": lambda given: tuple(_flag_ulimit(text) for text in given),
    "pools": lambda given: tuple(_flag_pool(text) for text in given),
}
