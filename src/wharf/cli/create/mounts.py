"""``--mount``, ``--volume`` and ``--tmpfs``."""

from __future__ import annotations

from wharf.cli.create.files import absolute
from wharf.cli.create.pairs import csv_fields, to_map
from wharf.errors import InvalidArgument
from wharf.lib.sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.client.documents import Document

_PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
_TRUE = frozenset({"", "1", "t", "true", "True", "TRUE"})
_FALSE = frozenset({"0", "f", "false", "False", "FALSE"})


def _truth(key: str, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise InvalidArgument(f"invalid value for {key}: {value}")
    return value in _TRUE


def _set_recursive(mount: Document, value: str) -> None:
    options = _options(mount, "BindOptions")
    match value:
        case "enabled":
            return
        case "disabled":
            options["NonRecursive"] = True
        case "writable":
            options["ReadOnlyNonRecursive"] = True
        case "readonly":
            options["ReadOnlyForceRecursive"] = True
        case _:
            raise InvalidArgument(
                f"invalid value for bind-recursive: {value} "
                '(must be "enabled", "disabled", "writable", or "readonly")'
            )


def _options(mount: Document, name: str) -> Document:
    found = mount.setdefault(name, {})
    assert isinstance(found, dict)
    return found


def _set_propagation(mount: Document, value: str) -> None:
    if value not in _PROPAGATIONS:
        raise InvalidArgument(f"invalid propagation: {value}")
    _options(mount, "BindOptions")["Propagation"] = value


def _set_volume_label(mount: Document, value: str) -> None:
    labels = _options(mount, "VolumeOptions").setdefault("Labels", {})
    assert isinstance(labels, dict)
    labels.update(to_map([value]))


def _set_volume_driver(mount: Document, value: str) -> None:
    driver = _options(_options(mount, "VolumeOptions"), "DriverConfig")
    driver["Name"] = value


def _set_volume_option(mount: Document, value: str) -> None:
    driver = _options(_options(mount, "VolumeOptions"), "DriverConfig")
    options = driver.setdefault("Options", {})
    assert isinstance(options, dict)
    options.update(to_map([value]))


def _set_size(mount: Document, value: str) -> None:
    try:
        _options(mount, "TmpfsOptions")["SizeBytes"] = parse_size(value)
    except InvalidArgument as error:
        raise InvalidArgument(f"invalid value for tmpfs-size: {value}") from error


def _set_mode(mount: Document, value: str) -> None:
    try:
        _options(mount, "TmpfsOptions")["Mode"] = int(value, 8)
    except ValueError as error:
        raise InvalidArgument(f"invalid value for tmpfs-mode: {value}") from error


def _set_type(mount: Document, value: str) -> None:
    mount["Type"] = value.lower()


def _set_source(mount: Document, value: str) -> None:
    # "." is how a user says this folder; a volume's name never begins so.
    mount["Source"] = absolute(value)


_SETTERS: dict[str, Callable[[Document, str], None]] = {
    "type": _set_type,
    "source": _set_source,
    "src": _set_source,
    "target": lambda mount, value: mount.__setitem__("Target", value),
    "dst": lambda mount, value: mount.__setitem__("Target", value),
    "destination": lambda mount, value: mount.__setitem__("Target", value),
    "readonly": lambda mount, value: mount.__setitem__("ReadOnly", _truth("readonly", value)),
    "ro": lambda mount, value: mount.__setitem__("ReadOnly", _truth("ro", value)),
    "consistency": lambda mount, value: mount.__setitem__("Consistency", value.lower()),
    "bind-propagation": _set_propagation,
    "bind-recursive": _set_recursive,
    "bind-nonrecursive": lambda mount, value: _options(mount, "BindOptions").__setitem__(
        "NonRecursive", _truth("bind-nonrecursive", value)
    ),
    "volume-nocopy": lambda mount, value: _options(mount, "VolumeOptions").__setitem__(
        "NoCopy", _truth("volume-nocopy", value)
    ),
    "volume-label": _set_volume_label,
    "volume-driver": _set_volume_driver,
    "volume-opt": _set_volume_option,
    "volume-subpath": lambda mount, value: _options(mount, "VolumeOptions").__setitem__("Subpath", value),
    "image-subpath": lambda mount, value: _options(mount, "ImageOptions").__setitem__("Subpath", value),
    "tmpfs-size": _set_size,
    "tmpfs-mode": _set_mode,
}
_FLAGS_ALONE = frozenset({"readonly", "ro", "volume-nocopy", "bind-nonrecursive"})
_ORDER = ("Type", "Source", "Target", "ReadOnly", "Consistency")
_OPTIONS_OF = {"BindOptions": "bind", "VolumeOptions": "volume", "TmpfsOptions": "tmpfs", "ImageOptions": "image"}


def parse_mount(text: str) -> Document:
    """Return the Mount that a ``--mount`` value describes.

    Raises:
        InvalidArgument: an unknown field, a wrong value, or fields that do not go together.
    """
    mount: Document = {"Type": "volume"}
    for field in csv_fields(text):
        key, separator, value = field.partition("=")
        key = key.lower()
        if not separator and key not in _FLAGS_ALONE:
            raise InvalidArgument(f"invalid field '{field}' must be a key=value pair")
        if key not in _SETTERS:
            raise InvalidArgument(f"unexpected key '{key}' in '{field}'")
        _SETTERS[key](mount, value)
    _check(mount)
    return {key: mount[key] for key in (*_ORDER, *_OPTIONS_OF) if key in mount and mount[key] not in ("", False)}


def _check(mount: Document) -> None:
    # Which types there are is the engine's to say.
    kind = mount["Type"]
    if not mount.get("Target"):
        raise InvalidArgument("target is required")
    for options, owner in _OPTIONS_OF.items():
        if options in mount and kind != owner:
            raise InvalidArgument(f"cannot mix '{owner}-*' options with mount type '{kind}'")


def split_volumes(specs: list[str]) -> tuple[list[str] | None, dict[str, Document]]:
    """Return (Binds, Volumes) of ``--volume`` values: with a source they are binds, else anonymous volumes.

    Raises:
        InvalidArgument: one is malformed.
    """
    binds: list[str] = []
    volumes: dict[str, Document] = {}
    for spec in specs:
        source, separator, rest = spec.partition(":")
        if not spec:
            raise InvalidArgument("invalid empty volume spec")
        if len(spec.split(":")) > 3:
            raise InvalidArgument(f"invalid volume specification: '{spec}'")
        if not source or (separator and not rest):
            raise InvalidArgument(f"invalid spec: {spec}: empty section between colons")
        if separator:
            binds.append(f"{absolute(source)}:{rest}")
        else:
            volumes[spec] = {}
    return binds or None, volumes


def tmpfs_map(specs: list[str]) -> dict[str, str]:
    """Return path → options of ``--tmpfs`` values."""
    return {path: options for path, _, options in (spec.partition(":") for spec in specs)}
