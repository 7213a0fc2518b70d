"""The shape of config.json: what is a text, a number, a list or an object (the specification's schema/).

Only shapes: what values mean is decided where they are used. Properties that are not known are left alone, and null
is as good as nothing. Seccomp rules are not looked into: they are many, and compiling them tells.
"""

from __future__ import annotations

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    # A type, {property: shape}, {"*": shape of every value}, or [shape of every item]. Properties whose name ends in
    # "!" must be given.
    Shape = type | dict[str, "Shape"] | list["Shape"]

_TEXTS: Final[Shape] = [str]
_MAPPINGS: Final[Shape] = [{"containerID": int, "hostID": int, "size": int}]
_HOOKS: Final[Shape] = [{"path": str, "args": _TEXTS, "env": _TEXTS, "timeout": int}]
_RATES: Final[Shape] = [{"major!": int, "minor!": int, "rate!": int}]

PROCESS: Final[Shape] = {
    "terminal": bool,
    "consoleSize": {"height": int, "width": int},
    "cwd": str,
    "env": _TEXTS,
    "args": _TEXTS,
    "rlimits": [{"type": str, "soft": int, "hard": int}],
    "apparmorProfile": str,
    "selinuxLabel": str,
    "capabilities": {"*": _TEXTS},
    "noNewPrivileges": bool,
    "oomScoreAdj": int,
    "scheduler": {
        "policy": str, "nice": int, "priority": int, "flags": _TEXTS, "runtime": int, "deadline": int, "period": int,
    },
    "ioPriority": {"class": str, "priority": int},
    "execCPUAffinity": {"initial": str, "final": str},
    "user": {"uid": int, "gid": int, "umask": int, "additionalGids": [int], "username": str, "groupnames": _TEXTS},
}  # fmt: skip

RESOURCES: Final[Shape] = {
    "devices": [{"allow": bool, "type": str, "major": int, "minor": int, "access": str}],
    "memory": {
        "limit": int, "reservation": int, "swap": int, "kernel": int, "kernelTCP": int, "swappiness": int,
        "disableOOMKiller": bool, "useHierarchy": bool, "checkBeforeUpdate": bool,
    },
    "cpu": {
        "shares": int, "quota": int, "burst": int, "period": int, "realtimeRuntime": int, "realtimePeriod": int,
        "cpus": str, "mems": str, "idle": int,
    },
    "pids": {"limit": int},
    "blockIO": {
        "weight": int,
        "leafWeight": int,
        "weightDevice": [{"major!": int, "minor!": int, "weight": int, "leafWeight": int}],
        "throttleReadBpsDevice": _RATES,
        "throttleWriteBpsDevice": _RATES,
        "throttleReadIOPSDevice": _RATES,
        "throttleWriteIOPSDevice": _RATES,
    },
    "hugepageLimits": [{"pageSize!": str, "limit!": int}],
    "network": {"classID": int, "priorities": [{"name!": str, "priority!": int}]},
    "rdma": {"*": {"hcaHandles": int, "hcaObjects": int}},
    "unified": {"*": str},
}  # fmt: skip

SPEC: Final[Shape] = {
    "ociVersion": str,
    "root": {"path": str, "readonly": bool},
    "process": PROCESS,
    "hostname": str,
    "domainname": str,
    "mounts": [
        {
            "destination": str, "type": str, "source": str, "options": _TEXTS,
            "uidMappings": _MAPPINGS, "gidMappings": _MAPPINGS,
        }
    ],
    "hooks": {"*": _HOOKS},
    "annotations": {"*": str},
    "linux": {
        "namespaces": [{"type": str, "path": str}],
        "uidMappings": _MAPPINGS,
        "gidMappings": _MAPPINGS,
        "timeOffsets": {"*": {"secs": int, "nanosecs": int}},
        "devices": [
            {"type": str, "path": str, "major": int, "minor": int, "fileMode": int, "uid": int, "gid": int}
        ],
        "cgroupsPath": str,
        "resources": RESOURCES,
        "rootfsPropagation": str,
        "seccomp": {"defaultAction": str, "listenerPath": str, "listenerMetadata": str, "syscalls": [{}]},
        "sysctl": {"*": str},
        "maskedPaths": _TEXTS,
        "readonlyPaths": _TEXTS,
        "mountLabel": str,
        "personality": {"domain": str, "flags": _TEXTS},
        "intelRdt": {},
        "memoryPolicy": {"mode": str, "nodes": str, "flags": _TEXTS},
        "netDevices": {"*": {"name": str}},
    },
}  # fmt: skip

_NAMES: Final = {str: "a text", int: "a number", bool: "true or false"}


def check(value: object, shape: Shape, where: str = "") -> None:
    """Refuse a document that has not this shape; take out of its objects what is null.

    Raises:
        InvalidArgument: with the path of the first value that does not fit.
    """
    if value is None:
        return
    if isinstance(shape, dict):
        _check_object(value, shape, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _misfit(where, "a list")
        for number, item in enumerate(value):
            if item is None:
                raise _misfit(f"{where}[{number}]", "given")
            check(item, shape[0], f"{where}[{number}]")
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise _misfit(where, _NAMES[shape])
    elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise _misfit(where, "without a NUL, and Unicode")


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which JSON lets through and no file name can have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_object(value: object, shape: dict[str, Shape], where: str) -> None:
    if not isinstance(value, dict):
        raise _misfit(where, "an object")
    every = shape.get("*")
    for key, item in list(value.items()):
        if every is not None and not key:
            raise _misfit(where, "without an empty name")
        inner = every if every is not None else shape.get(key) or shape.get(f"{key}!")
        if item is None:
            del value[key]
        elif inner is not None:
            check(item, inner, f"{where}.{key}" if where else key)
    for name in shape:
        if name[-1] == "!" and name[:-1] not in value:
            raise _misfit(f"{where}.{name[:-1]}", "given")


def _misfit(where: str, wanted: str) -> InvalidArgument:
    return InvalidArgument(f"config.json is not as the specification says: {where or 'it'} must be {wanted}")
