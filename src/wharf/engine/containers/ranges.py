"""What single values of a HostConfig may be: numbers in their ranges, paths, names of hosts. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Set as AbstractSet
from ipaddress import ip_address
from typing import Final, cast

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig, ThrottleDevice

_OOM_SCORE: Final = 1000
_RATES: Final = ("BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps")
_MOST_CPUS: Final = 8192  # more than a kernel knows (NR_CPUS)


def check(document: HostConfig) -> None:
    """Refuse values that can be nowhere.

    Raises:
        InvalidArgument: in Docker's words.
    """
    if (document.get("ShmSize") or 0) < 0:
        raise InvalidArgument("SHM size can not be less than 0")
    score = document.get("OomScoreAdj") or 0
    if abs(score) > _OOM_SCORE:
        raise InvalidArgument(f"Invalid value {score}, range for oom score adj is [-1000, 1000]")
    if document.get("NetworkMode") == "container:":
        raise InvalidArgument("invalid network mode: invalid container format container:<name|id>")
    _paths(document)
    _rates(document)
    for entry in document.get("ExtraHosts") or []:
        _extra_host(entry)


def _paths(document: HostConfig) -> None:
    for path in document.get("Tmpfs") or {}:
        if path.startswith("/") and not posixpath.normpath(path).strip("/"):
            raise InvalidArgument("invalid specification: destination can't be '/'")
        if not path.startswith("/"):
            raise InvalidArgument(f"invalid mount path: '{path}' mount path must be absolute")


def _rates(document: HostConfig) -> None:
    for field in _RATES:
        for device in cast("list[ThrottleDevice]", dict(document).get(field) or []):
            if (device.get("Rate") or 0) < 0:
                raise InvalidArgument(f"invalid rate for {device.get('Path')}: it is less than 0")
    if any(size < 0 for size in document.get("ConsoleSize") or []):
        raise InvalidArgument("invalid console size: it is less than 0")


def _extra_host(entry: str) -> None:
    name, colon, address = entry.partition(":")
    if not colon or not name:
        raise InvalidArgument(f'bad format for add-host: "{entry}"')
    if address == "host-gateway":
        return
    try:
        ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise InvalidArgument(f'invalid IP address in add-host: "{address}"') from error


def check_here(document: HostConfig, cpus: AbstractSet[int], nodes: AbstractSet[int]) -> None:
    """Refuse what this machine has not.

    Args:
        document: the request.
        cpus: the numbers of its processors.
        nodes: the numbers of its memory nodes.

    Raises:
        InvalidArgument: in Docker's words.
    """
    nano = document.get("NanoCpus") or 0
    if nano < 0 or nano > len(cpus) * 1_000_000_000:
        raise InvalidArgument(
            f"range of CPUs is from 0.01 to {len(cpus)}.00, as there are only {len(cpus)} CPUs available"
        )
    for field, named, what, there in (
        ("CpusetCpus", "cpuset cpus", "CPUs", cpus),
        ("CpusetMems", "cpuset mems", "memory nodes", nodes),
    ):
        text = str(dict(document).get(field) or "")
        if not numbers(text, named) <= there:
            shown = ranges(there)
            raise InvalidArgument(f"Requested {what} are not available - requested {text}, available: {shown}")


def numbers(text: str, named: str = "") -> set[int]:
    """Return the numbers of a list such as ``0-3,7`` (cpuset(7), "List format").

    Raises:
        InvalidArgument: it is none.
    """
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()) or int(last or first) < int(first):
            raise InvalidArgument(f"Invalid value {text} for {named}: invalid format: {text}")
        if int(last or first) >= _MOST_CPUS:
            raise InvalidArgument(f"Invalid value {text} for {named}: value of out range, maximum is {_MOST_CPUS}")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def ranges(of: AbstractSet[int]) -> str:
    """Return numbers as such a list."""
    parts: list[list[int]] = []
    for number in sorted(of):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)
