"""``RUN --mount`` and ``RUN --device``: fields of CSV, checked (Dockerfile reference, "RUN --mount"). Pure."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from wharf.build.dockerfile.errors import meant
from wharf.errors import InvalidArgument
from wharf.lib.sizes import parse_size

Expander = Callable[[str], str]

TYPES: Final = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING: Final = ("shared", "private", "locked")
_KEYS: Final = (
    "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid",
    "src", "dst", "destination", "ro", "rw", "readwrite", "env",
)  # fmt: skip
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a RUN instruction; what was not given is None or "" (defaults are the converter's)."""

    type: str = "bind"
    from_: str = ""
    source: str = ""
    target: str = ""
    read_only: bool | None = None
    size_bytes: int = 0
    id: str = ""
    sharing: str = ""
    required: bool = False
    env: str | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device by its CDI name."""

    name: str
    required: bool = False


def fields_of(text: str, what: str) -> list[str]:
    """Return the fields of one line of CSV.

    Raises:
        InvalidArgument: a quote has no end.
    """
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise InvalidArgument(f"failed to parse csv {what}: {error}") from None


def check_early(text: str) -> None:
    """Refuse what is wrong whatever the variables are.

    Raises:
        InvalidArgument: ``from`` has a variable in it.
    """
    for field in fields_of(text, "mounts"):
        key, equals, value = field.partition("=")
        if equals and key.lower() == "from" and "$" in value[:-1]:
            raise InvalidArgument(f"'{key.lower()}' doesn't support variable expansion, define alias stage instead")


def parse_mount(text: str, expand: Expander) -> Mount:
    """Return the mount that ``text`` describes.

    Raises:
        InvalidArgument: it describes none, in BuildKit's words.
    """
    mount = Mount()
    for field in fields_of(text, "mounts"):
        key, equals, value = field.partition("=")
        mount = _set(mount, key.lower(), expand(value) if equals else None, field)
    _check(mount)
    return mount


def _set(mount: Mount, key: str, value: str | None, field: str) -> Mount:
    if value is None:
        return _set_bare(mount, key, field)
    match key:
        case "type" | "sharing":
            return _with(mount, key, _one_of(key, value))
        case "from" | "env":
            return _with(mount, "from_" if key == "from" else key, value)
        case "source" | "src" | "target" | "dst" | "destination" | "id":
            name = {"src": "source", "dst": "target", "destination": "target"}.get(key, key)
            return _with(mount, name, value)
        case "readonly" | "ro" | "readwrite" | "rw" | "required":
            return _set_switch(mount, key, value)
        case "size" | "mode" | "uid" | "gid":
            return _set_number(mount, key, value)
    raise InvalidArgument(f"unexpected key '{key}' in '{field}'{meant(key, _KEYS)}")


def _with(mount: Mount, name: str, value: Any) -> Mount:
    return replace(mount, **{name: value})


def _set_bare(mount: Mount, key: str, field: str) -> Mount:
    match key:
        case "readonly" | "ro":
            return replace(mount, read_only=True)
        case "readwrite" | "rw":
            return replace(mount, read_only=False)
        case "required":
            return _set_switch(mount, key, "true")
    raise InvalidArgument(f"invalid field '{field}' must be a key=value pair")


def _set_switch(mount: Mount, key: str, value: str) -> Mount:
    if key == "required":
        if mount.type not in ("secret", "ssh"):
            raise InvalidArgument(f"unexpected key '{key}' for mount type '{mount.type}'")
        return replace(mount, required=truth(key, value))
    return replace(mount, read_only=truth(key, value) == (key in ("readonly", "ro")))


def truth(key: str, value: str) -> bool:
    """Return the boolean that ``value`` spells; InvalidArgument, naming ``key``, for anything else."""
    if value not in _TRUE + _FALSE:
        raise InvalidArgument(f"invalid value for {key}: {value}")
    return value in _TRUE


def _set_number(mount: Mount, key: str, value: str) -> Mount:
    if key == "size":
        if mount.type != "tmpfs":
            raise InvalidArgument(f"unexpected key '{key}' for mount type '{mount.type}'")
        try:
            return replace(mount, size_bytes=parse_size(value))
        except InvalidArgument:
            raise InvalidArgument(f"invalid value for {key}: {value}") from None
    try:
        number = int(value, 8 if key == "mode" else 10)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 32 or not value.isalnum():
        raise InvalidArgument(f"invalid value {value} for {key}")
    return _with(mount, key, number)


def _one_of(key: str, value: str) -> str:
    known = TYPES if key == "type" else SHARING
    if value.lower() not in known:
        what = "mount type" if key == "type" else "sharing value"
        raise InvalidArgument(f'unsupported {what} "{value}"{meant(value, known)}')
    return value.lower()


def _check(mount: Mount) -> None:
    if mount.type not in ("secret", "ssh", "cache"):
        for name in ("mode", "uid", "gid"):
            if getattr(mount, name) is not None:
                raise InvalidArgument(f'{name} not allowed for "{mount.type}" type mounts')
    if mount.type == "secret":
        _check_secret(mount)
    if mount.sharing and mount.type != "cache":
        raise InvalidArgument(f"invalid cache sharing set for {mount.type} mount")


def _check_secret(mount: Mount) -> None:
    if mount.from_:
        raise InvalidArgument("secret mount should not have a from")
    if mount.sharing:
        raise InvalidArgument("secret mount should not define sharing")
    if not (mount.source or mount.target or mount.id):
        raise InvalidArgument("invalid secret mount. one of source, target required")
    if mount.source and mount.id:
        raise InvalidArgument("both source and id can't be set")


def parse_device(text: str) -> Device:
    """Return the device that ``text`` names.

    Raises:
        InvalidArgument: it names none.
    """
    name, required = "", False
    for field in fields_of(text, "devices"):
        key, equals, value = field.partition("=")
        if key.lower() == "required":
            required = truth("required", value) if equals else True
        elif key.lower() == "name" and equals:
            if name:
                raise InvalidArgument(f"device name already set to {name}")
            name = value
        elif not name:
            name = field
        else:
            raise InvalidArgument(
                f"unexpected key '{key}' in '{field}'"
                if equals
                else f"invalid field '{field}' must be a key=value pair"
            )
    return Device(name, required)
