"""Devices: what a container may use, and how fast."""

from __future__ import annotations

from wharf.cli.create.pairs import csv_fields
from wharf.errors import InvalidArgument
from wharf.lib.sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.documents import Document


def parse_device(text: str) -> Document:
    """Return the DeviceMapping of ``path[:path in container[:rwm]]``.

    Raises:
        InvalidArgument: it is malformed.
    """
    parts = text.split(":")
    if len(parts) > 3:
        raise InvalidArgument(f"invalid device specification: {text}")
    source, target, mode = parts[0], parts[0], "rwm"
    if not source:
        raise InvalidArgument(f"bad format for path: {text}")
    if len(parts) == 2 and _is_mode(parts[1]):
        mode = parts[1]
    elif len(parts) >= 2:
        target = parts[1] or source
    if len(parts) == 3:
        mode = parts[2]
        if not _is_mode(mode):
            raise InvalidArgument(f"bad mode specified: {mode}")
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": mode}


def is_vendors(text: str) -> bool:
    """Whether a device is named as its vendor describes it: ``vendor.com/class=name`` (CDI)."""
    kind, separator, name = text.partition("=")
    vendor, slash, device_class = kind.partition("/")
    return bool(separator and slash and vendor and device_class and name) and not text.startswith("/")


def requests(devices: list[str], gpus: list[str]) -> list[Document]:
    """Return the DeviceRequests of ``--device`` and ``--gpus``."""
    named = [text for text in devices if is_vendors(text)]
    found: list[Document] = [{"Driver": "cdi", "DeviceIDs": named}] if named else []
    return found + [parse_gpus(text) for text in gpus]


def parse_gpus(text: str) -> Document:
    """Return the DeviceRequest of one ``--gpus``: ``all``, a number, or fields such as ``"device=0,1"``.

    Raises:
        InvalidArgument: a field is unknown, or the count is none.
    """
    request: Document = {"Driver": "", "Count": 0, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}
    for field in csv_fields(text):
        key, separator, value = field.partition("=")
        if not separator:
            key, value = "count", field
        match key:
            case "count":
                request["Count"] = _count(value)
            case "driver":
                request["Driver"] = value
            case "device":
                request["DeviceIDs"] = value.split(",")
            case "capabilities":
                request["Capabilities"] = [["gpu", *(word for word in value.split(",") if word != "gpu")]]
            case _:
                raise InvalidArgument(f"unexpected key '{key}' in '{field}'")
    if not request["Count"] and not request["DeviceIDs"]:
        request["Count"] = 1
    return request


def _count(text: str) -> int:
    if text == "all":
        return -1
    if not (text.isascii() and text.isdigit()):
        raise InvalidArgument(f'invalid count ({text}): value must be either "all" or an integer')
    return int(text)


def _is_mode(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)


def check_device_rule(text: str) -> None:
    """Refuse what is not of the form ``c 1:3 rwm`` (kernel docs, cgroup-v1/devices)."""
    parts = text.split(" ")
    numbers = parts[1].split(":") if len(parts) == 3 else []
    good = (
        len(numbers) == 2
        and parts[0] in {"a", "b", "c"}
        and all(n == "*" or (n.isascii() and n.isdigit()) for n in numbers)
        and 1 <= len(parts[2]) <= 3
        and set(parts[2]) <= set("rwm")
    )
    if not good:
        raise InvalidArgument(f"invalid device cgroup format '{text}'")


def _path_and_value(text: str) -> tuple[str, str]:
    path, separator, value = text.partition(":")
    if not separator or not path:
        raise InvalidArgument(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise InvalidArgument(f"bad format for device path: {text}")
    return path, value


def parse_weight_device(text: str) -> Document:
    """Return Path and Weight of ``path:weight``."""
    path, value = _path_and_value(text)
    if not (value.isascii() and value.isdigit()) or (int(value) and not 10 <= int(value) <= 1000):
        raise InvalidArgument(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": int(value)}


def parse_throttle_bytes(text: str) -> Document:
    """Return Path and Rate of ``path:size``, in bytes a second."""
    path, value = _path_and_value(text)
    try:
        rate = parse_size(value)
    except InvalidArgument as error:
        raise InvalidArgument(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. "
            "Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        ) from error
    return {"Path": path, "Rate": rate}


def parse_throttle_count(text: str) -> Document:
    """Return Path and Rate of ``path:number``, in operations a second."""
    path, value = _path_and_value(text)
    if not (value.isascii() and value.isdigit()):
        raise InvalidArgument(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>. "
            "Number must be a positive integer"
        )
    return {"Path": path, "Rate": int(value)}
