"""The devices that vendors describe on this host: CDI files found and read, device nodes looked up."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from wharf.engine.ocispec import cdi
from wharf.engine.ocispec.cdi import CdiSpec, DeviceNode, Edits
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.oci_runtime import Spec


def with_devices(spec: Spec, host: HostConfig, folders: Sequence[Path]) -> Spec:
    """Return a configuration with the devices that a container requests; as it is when it requests none.

    Of two files of the same kind and device, the one in the later folder wins.

    Raises:
        InvalidArgument: nobody describes one of them, a file is malformed, or a device node does not exist.
    """
    wanted = cdi.names(host.get("DeviceRequests") or [])
    if not wanted:
        return spec
    kinds = {name.partition("=")[0] for name in wanted}
    found = _read(folders)
    specs = [spec for spec in found.specs if spec["kind"] in kinds]
    if found.broken and not {spec["kind"] for spec in specs} >= kinds:
        raise InvalidArgument(f"CDI device injection failed: {'; '.join(found.broken)}")
    edits = cdi.select(specs, wanted)
    return cdi.apply(spec, [_looked_up(edit) for edit in edits])


def discover(folders: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return the qualified names of all devices that are described, sorted, and what is wrong with broken files."""
    found = _read(folders)
    names = {f"{spec['kind']}={device['name']}" for spec in found.specs for device in spec["devices"]}
    return sorted(names), found.broken


class _Found(NamedTuple):
    specs: list[CdiSpec]  # the ones that win first
    broken: list[str]  # path and reason


def _read(folders: Iterable[Path]) -> _Found:
    specs: list[CdiSpec] = []
    broken: list[str] = []
    for folder in folders:
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            if path.suffix not in (".json", ".yaml", ".yml"):
                continue
            try:
                specs.insert(0, _parse(path))
            except (OSError, msgspec.MsgspecError) as error:
                broken.append(f"{path}: {' '.join(str(error).split())}")
    return _Found(specs, broken)


def _parse(path: Path) -> CdiSpec:
    raw = path.read_bytes()
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.yaml.decode
    return decode(raw, type=CdiSpec)


def _looked_up(edit: Edits) -> Edits:
    nodes = [_node(node) for node in edit.get("deviceNodes", [])]
    return {**edit, "deviceNodes": nodes} if nodes else edit


def _node(node: DeviceNode) -> DeviceNode:
    path = node.get("hostPath") or node["path"]
    try:
        status = os.stat(path)
    except OSError as error:
        raise InvalidArgument(
            f"CDI device injection failed: failed to stat CDI host device {path!r}: {(error.strerror or '').lower()}"
        ) from error
    kind = "b" if stat.S_ISBLK(status.st_mode) else "c" if stat.S_ISCHR(status.st_mode) else "p"
    found: DeviceNode = {
        "path": node["path"],
        "type": kind,
        "major": os.major(status.st_rdev),
        "minor": os.minor(status.st_rdev),
        "fileMode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }
    return {**found, **node}
