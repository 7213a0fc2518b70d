"""Devices that vendors describe (Container Device Interface, SPEC.md): which edits a request means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, Required, TypedDict, cast

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import DeviceRequest
from wharf.spec.oci_runtime import (
    Device,
    DeviceRule,
    Hook,
    Hooks,
    Linux,
    Mount,
    NetDevice,
    Process,
    Resources,
    Spec,
    User,
)

GPU_KIND: Final = "nvidia.com/gpu"
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*")


class DeviceNode(TypedDict, total=False):
    """SPEC.md "deviceNodes"; ``type``, ``major`` and ``minor`` are filled in from the host."""

    path: Required[str]
    hostPath: str
    type: str
    major: int
    minor: int
    fileMode: int
    permissions: str
    uid: int
    gid: int


class CdiMount(TypedDict, total=False):
    """SPEC.md "mounts"."""

    hostPath: Required[str]
    containerPath: Required[str]
    type: str
    options: list[str]


class CdiHook(TypedDict, total=False):
    """SPEC.md "hooks"."""

    hookName: Required[
        Literal["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    ]
    path: Required[str]
    args: list[str]
    env: list[str]
    timeout: int


class CdiNetDevice(TypedDict):
    """SPEC.md "netDevices"."""

    hostInterfaceName: str
    name: str


class Edits(TypedDict, total=False):
    """SPEC.md "containerEdits"."""

    env: list[str]
    deviceNodes: list[DeviceNode]
    mounts: list[CdiMount]
    hooks: list[CdiHook]
    additionalGids: list[int]
    intelRdt: dict[str, object]
    netDevices: list[CdiNetDevice]


class CdiDevice(TypedDict, total=False):
    """SPEC.md "devices"."""

    name: Required[str]
    containerEdits: Edits


class CdiSpec(TypedDict, total=False):
    """One file of a vendor's."""

    cdiVersion: Required[str]
    kind: Required[str]
    devices: Required[list[CdiDevice]]
    containerEdits: Edits


def is_qualified(name: str) -> bool:
    """Return whether this is "vendor.com/class=device"."""
    return _QUALIFIED.fullmatch(name) is not None


def check(requests: Iterable[DeviceRequest]) -> None:
    """Refuse what no driver here serves, in Docker's words, and malformed names.

    Raises:
        InvalidArgument: see above.
    """
    for request in requests:
        driver, capabilities = request.get("Driver") or "", request.get("Capabilities") or []
        gpu = any("gpu" in group for group in capabilities)
        if driver != "cdi" and not (driver in ("", "nvidia") and gpu):
            shown = " ".join(f"[{' '.join(group)}]" for group in capabilities)
            raise InvalidArgument(f'could not select device driver "{driver}" with capabilities: [{shown}]')
        if request.get("Options"):
            raise InvalidArgument(f'device driver "{driver or "cdi"}" takes no options here')
        for name in request.get("DeviceIDs") or []:
            if driver == "cdi" and not is_qualified(name):
                raise InvalidArgument(f"unqualified device {name!r}, missing vendor")


def names(requests: Iterable[DeviceRequest]) -> list[str]:
    """Return the qualified names that requests ask for; GPUs are those of NVIDIA's own description."""
    found: list[str] = []
    for request in requests:
        ids, count = request.get("DeviceIDs") or [], request.get("Count") or 0
        if request.get("Driver") == "cdi":
            found += ids
        elif ids:
            found += [name if is_qualified(name) else f"{GPU_KIND}={name}" for name in ids]
        else:
            found += [f"{GPU_KIND}=all"] if count < 0 else [f"{GPU_KIND}={n}" for n in range(count)]
    return list(dict.fromkeys(found))


def select(specs: Sequence[CdiSpec], wanted: Iterable[str]) -> list[Edits]:
    """Return the edits of the devices called ``wanted``, each vendor's common ones first and once.

    Raises:
        InvalidArgument: nobody describes one of them.
    """
    edits: list[Edits] = []
    seen: list[CdiSpec] = []
    missing: list[str] = []
    for name in wanted:
        kind, _, device_name = name.partition("=")
        found = _find(specs, kind, device_name)
        if found is None:
            missing.append(name)
            continue
        spec, device = found
        if not any(spec is known for known in seen):
            seen.append(spec)
            edits.append(spec.get("containerEdits", {}))
        edits.append(device.get("containerEdits", {}))
    if missing:
        raise InvalidArgument(f"CDI device injection failed: unresolvable CDI devices {', '.join(missing)}")
    if any(edit.get("intelRdt") for edit in edits):
        raise InvalidArgument("CDI device injection failed: intelRdt is not supported here")
    return edits


def _find(specs: Sequence[CdiSpec], kind: str, name: str) -> tuple[CdiSpec, CdiDevice] | None:
    of_kind = (spec for spec in specs if spec.get("kind") == kind)
    return next(((s, d) for s in of_kind for d in s.get("devices", []) if d.get("name") == name), None)


def apply(spec: Spec, edits: Iterable[Edits]) -> Spec:
    """Return a configuration with the edits made (SPEC.md "OCI Edits")."""
    process: Process = {**spec["process"]}
    linux: Linux = {**spec["linux"]}
    resources: Resources = {**linux.get("resources", {})}
    user: User = {**process["user"]}
    hooks: dict[str, list[Hook]] = {}
    edited: Spec = {**spec, "mounts": [*spec["mounts"]]}
    for edit in edits:
        process["env"] = [*process["env"], *edit.get("env", [])]
        if gids := [gid for gid in edit.get("additionalGids", []) if gid]:
            user["additionalGids"] = [*user.get("additionalGids", []), *gids]
        edited["mounts"] += [_mount(mount) for mount in edit.get("mounts", [])]
        for node in edit.get("deviceNodes", []):
            others = [d for d in linux.get("devices", []) if d["path"] != node["path"]]
            linux["devices"] = [*others, _device(node)]
            if (permissions := node.get("permissions") or "rwm") != "none":
                resources["devices"] = [*resources.get("devices", []), _rule(node, permissions)]
        if taken := edit.get("netDevices"):
            inside = {device["hostInterfaceName"]: NetDevice(name=device["name"]) for device in taken}
            linux["netDevices"] = {**linux.get("netDevices", {}), **inside}
        for hook in edit.get("hooks", []):
            hooks.setdefault(hook["hookName"], []).append(_hook(hook))
    process["user"], linux["resources"] = user, resources
    edited["process"], edited["linux"] = process, linux
    if hooks:
        edited["hooks"] = cast("Hooks", hooks)
    return edited


def _device(node: DeviceNode) -> Device:
    device: Device = {
        "type": node["type"],
        "path": node["path"],
        "major": node["major"],
        "minor": node["minor"],
        "fileMode": node.get("fileMode", 0o660),
        "uid": node.get("uid", 0),
        "gid": node.get("gid", 0),
    }
    return device


def _rule(node: DeviceNode, access: str) -> DeviceRule:
    return {"allow": True, "type": node["type"], "major": node["major"], "minor": node["minor"], "access": access}


def _mount(mount: CdiMount) -> Mount:
    options = mount.get("options") or ["ro", "nosuid", "nodev", "bind"]
    bind = "bind" in options or "rbind" in options
    return {
        "destination": mount["containerPath"],
        "source": mount["hostPath"],
        "type": "bind" if bind else mount.get("type", "bind"),
        "options": options,
    }


def _hook(hook: CdiHook) -> Hook:
    made: Hook = {"path": hook["path"]}
    if "args" in hook:
        made["args"] = hook["args"]
    if "env" in hook:
        made["env"] = hook["env"]
    if "timeout" in hook:
        made["timeout"] = hook["timeout"]
    return made
