"""The devices that vendors describe on this host: CDI files found and read, device nodes looked up."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

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
    edits = cdi.select(_read(folders, {name.partition("=")[0] for name in wanted}), wanted)
    return cdi.apply(spec, [_looked_up(edit) for edit in edits])


def described(folders: Sequence[Path]) -> list[dict[str, str]]:
    """Return every device that a file describes, by name; files that are malformed describe none. Blocking."""
    names: set[str] = set()
    for path in _files(folders):
        with suppress(OSError, ValueError, ImportError):
            spec = _parse(path)
            names |= {f"{spec.get('kind')}={device.get('name')}" for device in spec.get("devices") or []}
    return [{"Source": "cdi", "ID": name} for name in sorted(names)]


def _files(folders: Iterable[Path]) -> list[Path]:
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*"))]
    return [path for path in found if path.suffix in (".json", ".yaml", ".yml")]


def _read(folders: Iterable[Path], kinds: set[str]) -> list[CdiSpec]:
    """Return the files that describe ``kinds``, the ones that win first; others may be broken."""
    specs: list[CdiSpec] = []
    broken: list[str] = []
    for path in _files(folders):
        try:
            spec = _parse(path)
        except (OSError, ValueError, ImportError) as error:
            broken.append(f"{path}: {error}")
            continue
        if spec.get("kind") in kinds:
            specs.insert(0, spec)
    if broken and not {spec.get("kind") for spec in specs} >= kinds:
        raise InvalidArgument(f"CDI device injection failed: {'; '.join(broken)}")
    return specs


def _parse(path: Path) -> CdiSpec:
    raw = path.read_bytes()
    document = msgspec.json.decode(raw) if path.suffix == ".json" else import_module("yaml").safe_load(raw)
    return msgspec.convert(document, CdiSpec)


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
        "type": kind,
        "major": os.major(status.st_rdev),
        "minor": os.minor(status.st_rdev),
        "fileMode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
    }
    return {**found, **node}
